#pragma once

#include <string>

namespace vigil {

/// A number with a fixed count of decimals and a point, whatever the locale.
std::string fixedDecimals(double value, int decimals);

/// A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD.
std::string jsonString(const std::string& text);

/// A field of a CSV line, in quotes if it needs them (RFC 4180).
std::string csvField(const std::string& text);

} // namespace vigil
