#pragma once

#include <string>

namespace vigil {

/// The model to use when none is named: the file that VIGIL_MODEL names, else the first .onnx file
/// in resources/models beside the program's sources or installation, else an empty string.
std::string defaultModel();

/// The street clip to show Vigil with: vtest.avi as tools/demo.sh leaves it in build/demo, or as it
/// is installed; an empty string if there is none.
std::string demoClip();

} // namespace vigil
