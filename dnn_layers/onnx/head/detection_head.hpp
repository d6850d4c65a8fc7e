#pragma once

#include "onnx/graph.hpp"

#include <irmb_dnn/model.hpp>

namespace irmb::onnx {

/// Recognises the head of a detector by its structure, never by names, and with `cut` ends a
/// YOLOv10 with an NMS-free tail at its one-to-one head [B, 4 + nc, N]. Of several outputs the
/// first one that is a detector's is kept. Needs a specialised graph. Fills head, tail_cut,
/// max_detections and num_classes of `info`; `notes` gets what the user should know.
void analyseHead(OnnxModel& model, Facts& facts, bool cut, ModelInfo& info,
                 std::vector<std::string>& notes);

/// Input size that the exporter noted as `imgsz`; empty when it did not or when it makes no sense.
cv::Size metadataImageSize(const OnnxModel& model);

/// Reads class names, stride and the like from the exporter's metadata into `info`; nothing in it
/// is trusted, and what cannot be read is reported in `notes`. Call it after analyseHead(), which
/// may know the number of classes.
void readMetadata(const OnnxModel& model, ModelInfo& info, std::vector<std::string>& notes);

} // namespace irmb::onnx
