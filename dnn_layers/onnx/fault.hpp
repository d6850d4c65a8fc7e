#pragma once

#include <string>

namespace irmb::onnx {

/// What helps against a file that contradicts itself, whether it was damaged or written so.
inline constexpr const char* copy_again = "export or copy the model again";

/// Refuses a file: throws cv::Exception with the fault and what to do about it.
[[noreturn]] void refuseFile(const std::string& fault, const std::string& remedy = copy_again);

} // namespace irmb::onnx
