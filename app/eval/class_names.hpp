#pragma once

#include <string>
#include <vector>

namespace vigil {

/// The 80 classes of COCO in the order in which YOLO models number them.
const std::vector<std::string>& cocoNames();

/// Names of classes: "coco", a text file with a name a line, or the `names` of a YAML file. Throws
/// cv::Exception when there are none.
std::vector<std::string> readClassNames(const std::string& source);

} // namespace vigil
