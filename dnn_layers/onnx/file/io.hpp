#pragma once

#include "onnx/graph.hpp"

#include <string>

namespace irmb::onnx {

/// Reads and checks an ONNX file. Everything in it is untrusted: lengths, counts, offsets and
/// external-data paths are checked before use, and nothing is allocated that the file does not
/// back. Float16 and bfloat16 become float32. Throws cv::Exception with one line that names file
/// and fault.
OnnxModel load(const std::string& path);

/// Same for bytes in memory; `folder` is where external data may lie, "" refuses external data.
OnnxModel parse(const std::vector<uint8_t>& bytes, const std::string& folder,
                const std::string& name);

/// The bytes of an ONNX file with all weights inside.
std::vector<uint8_t> serialize(const OnnxModel& model);

void save(const OnnxModel& model, const std::string& path);

} // namespace irmb::onnx
