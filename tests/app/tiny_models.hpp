#pragma once

#include <map>
#include <string>
#include <vector>

namespace vigil::test {

/// Writes a model of one input [batch, channels, height, width] (-1 leaves a dimension open) whose
/// output is twice its input, and returns the path.
std::string writeDoublingModel(const std::vector<long>& input_shape);

/// Writes a detector of input [1, 3, 8, 8] that finds the same `rows` (x1, y1, x2, y2, score,
/// class) in every image, with class names a, b and c, and returns the path.
std::string writeConstantDetector(const std::vector<float>& rows,
                                  const std::map<std::string, std::string>& more_metadata = {});

} // namespace vigil::test
