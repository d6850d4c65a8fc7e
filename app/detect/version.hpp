#pragma once

#include <string>
#include <vector>

namespace vigil {

/// "Vigil 0.1.0", the OpenCV in use and how both were built; several lines.
std::string versionText();

/// "GCC 12.2.0"
std::string compiler();

/// Whether it was compiled without assertions.
bool isOptimised();

/// CPU features that OpenCV was compiled for or can dispatch to and that this machine has.
std::vector<std::string> cpuFeatures();

/// Whether --precision bf16 can be had on this machine: "yes", or "no: " and why not.
std::string bfloat16Text();

} // namespace vigil
