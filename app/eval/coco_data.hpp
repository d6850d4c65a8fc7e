#pragma once

#include "evaluator.hpp"
#include "labelled_data.hpp"

namespace vigil {

/// The annotations in a folder or its `annotations`: the only JSON file whose name speaks of the
/// split, "instances_..." preferred. Empty if there is none.
std::filesystem::path cocoJsonIn(const std::filesystem::path& folder, const std::string& split);

/// Opens COCO annotations. `images` is the folder of the images; empty: it is looked for around the
/// JSON. Throws cv::Exception.
LabelledData openCoco(const std::filesystem::path& json, const std::string& images);

/// The detections of each image, in the order of LabelledData::images.
using Detections = std::vector<std::vector<ScoredBox>>;

/// Reads detections in COCO's results format, a list of {image_id, category_id, bbox, score}.
/// Throws cv::Exception, also for images and categories that `data` does not have.
Detections readCocoResults(const std::string& path, const LabelledData& data);

/// Writes them. Throws cv::Exception when the file cannot be written, or two images have one id.
void writeCocoResults(const std::string& path, const Detections& results, const LabelledData& data);

} // namespace vigil
