#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace irmb::onnx {

/// Class names by index from a Python or JSON literal: {0: 'person', 1: 'car'}, {"0": "person"} or
/// ['person', 'car']. Only this grammar is known, nothing is evaluated. Empty when the text is
/// anything else, holds an index beyond 9999 or names an index twice.
std::optional<std::map<int, std::string>> parseNames(std::string_view text);

/// Integers from a literal such as 32, [640, 640] or (640, 640); empty when it is anything else.
std::optional<std::vector<int>> parseIntegers(std::string_view text);

/// A finite number such as 0.6; empty when it is anything else.
std::optional<double> parseReal(std::string_view text);

} // namespace irmb::onnx
