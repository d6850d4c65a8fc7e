#pragma once

#include "head_rows.hpp"

#include <optional>
#include <string>

namespace irmb::onnx {

/// YOLOv10's NMS-free tail: the K best pairs of anchor and class as rows x1, y1, x2, y2, score,
/// class. https://github.com/THU-MIG/yolov10, https://github.com/ultralytics/ultralytics
struct NmsFreeTail {
    Rows boxes;       ///< four rows
    Rows scores;      ///< one row a class
    int64_t keep = 0; ///< K
};

/// Recognises the tail that ends in `output`, in any of the forms that exporters give it.
std::optional<NmsFreeTail> findNmsFreeTail(const GraphView& view, const std::string& output);

} // namespace irmb::onnx
