#pragma once

#include "labelled_data.hpp"

namespace vigil {

/// Opens the split of a data.yaml as Ultralytics writes it: `path`, a folder, list file or list of
/// these for each split, and `names`. An empty `split` is "val". Throws cv::Exception.
LabelledData openDataYaml(const std::filesystem::path& yaml, const std::string& split);

/// The `names` of a YAML file, a list or a map from numbers; empty without any.
std::vector<std::string> namesInYaml(const std::filesystem::path& yaml);

} // namespace vigil
