#pragma once

#include <string>

namespace irmb {

/// OpenCV's many lines on one failure as one, without its source files.
std::string condensed(std::string text);

} // namespace irmb
