#pragma once

#include <string>

namespace vigil_test {

/// The folder of the model that comes with Vigil, wherever the build folder is.
inline const std::string model_folder = VIGIL_RESOURCES "/models/";
inline const std::string street_model = model_folder + "yolov10n-irmb-street.onnx";

} // namespace vigil_test
