#pragma once

#include "onnx/graph.hpp"

#include <optional>
#include <string>
#include <vector>

namespace irmb::onnx {

/// How a head makes boxes of what it predicts: boxes = offsets + factors * distances, each element
/// by itself.
struct BoxDecoder {
    std::string distances;      ///< name of a tensor [B, 4, N]
    std::vector<float> offsets; ///< [4][N]
    std::vector<float> factors; ///< [4][N]
};

/// The arithmetic in front of the tensor `boxes` [B, 4, N], told by computing it, from as far back
/// as that form goes. Needs a specialised graph. Empty where there is no such arithmetic.
std::optional<BoxDecoder> findBoxDecoder(const OnnxModel& model, const Facts& facts,
                                         const std::string& boxes);

} // namespace irmb::onnx
