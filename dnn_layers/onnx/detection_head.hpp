#pragma once

#include "graph.hpp"

#include <irmb_dnn/model.hpp>

namespace irmb::onnx {

/// Recognises the head of a detector and, with `cut`, ends a YOLOv10 with an NMS-free tail at its
/// one-to-one head [B, 4 + nc, N]. Fills head, tail_cut, max_detections and num_classes of `info`.
void analyseHead(OnnxModel& model, Facts& facts, bool cut, ModelInfo& info);

/// Input size that the exporter noted as `imgsz`; empty when it did not or when it makes no sense.
cv::Size metadataImageSize(const OnnxModel& model);

/// Reads class names, stride and the like from the exporter's metadata into `info`; nothing in it
/// is trusted, and what cannot be read is reported in `notes`. Call it after analyseHead(), which
/// may know the number of classes.
void readMetadata(const OnnxModel& model, ModelInfo& info, std::vector<std::string>& notes);

} // namespace irmb::onnx
