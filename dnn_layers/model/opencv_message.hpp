#pragma once

#include <string>

namespace irmb {

/// OpenCV's many lines on one failure as one, without its source files.
std::string condensed(std::string text);

/// The operator that OpenCV says it does not have, and the node that wants it:
/// "operator 'Foo' (node 'bar')"; empty where it says something else.
std::string missingOperator(const std::string& text);

} // namespace irmb
