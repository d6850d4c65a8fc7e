#pragma once

#include <string>
#include <string_view>

namespace irmb::onnx {

/// Text from an untrusted file made fit to show: control characters, line separators and
/// bidirectional overrides are dropped, bytes that are not UTF-8 become U+FFFD, and what is longer
/// than `max_characters` ends in an ellipsis.
std::string printable(std::string_view utf8, std::size_t max_characters = 120);

/// printable() in single quotes, for messages.
std::string quoted(std::string_view utf8);

} // namespace irmb::onnx
