#pragma once

#include <string>

namespace vigil {

/// The model to use when none is named: the file that VIGIL_MODEL names, else the first .onnx file
/// in resources/models beside the program's sources or installation. Throws UsageError that says
/// how to give one.
std::string defaultModel();

} // namespace vigil
