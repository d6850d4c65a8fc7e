#include "text.hpp"

#include <cstdint>

namespace irmb::onnx {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD"; // U+FFFD
constexpr const char* kEllipsis = "\xE2\x80\xA6";    // U+2026

/// Decodes the character at the start of `utf8`; returns its length in bytes, 0 if it is malformed.
std::size_t decodeCharacter(std::string_view utf8, uint32_t& code) {
    const auto byte = [&](std::size_t i) { return static_cast<uint8_t>(utf8[i]); };
    const uint8_t lead = byte(0);
    std::size_t length = 0;
    uint32_t smallest = 0;
    if (lead < 0x80) {
        code = lead;
        return 1;
    }
    if ((lead & 0xE0) == 0xC0) {
        length = 2;
        smallest = 0x80;
        code = lead & 0x1Fu;
    } else if ((lead & 0xF0) == 0xE0) {
        length = 3;
        smallest = 0x800;
        code = lead & 0x0Fu;
    } else if ((lead & 0xF8) == 0xF0) {
        length = 4;
        smallest = 0x10000;
        code = lead & 0x07u;
    }
    if (length == 0 || utf8.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80)
            return 0;
        code = (code << 6) | (byte(i) & 0x3Fu);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < smallest || code > 0x10FFFF || surrogate ? 0 : length;
}

bool isHidden(uint32_t code) {
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool separator = code == 0x2028 || code == 0x2029;
    const bool direction = code == 0x061C || code == 0x200E || code == 0x200F ||
                           (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return control || separator || direction || code == 0xFEFF;
}

} // namespace

std::string printable(std::string_view utf8, std::size_t max_characters) {
    std::string result;
    std::size_t characters = 0;
    while (!utf8.empty()) {
        uint32_t code = 0;
        const std::size_t length = decodeCharacter(utf8, code);
        const std::size_t step = length == 0 ? 1 : length;
        if (length == 0 || !isHidden(code)) {
            if (characters++ == max_characters)
                return result + kEllipsis;
            if (length == 0)
                result += kReplacement;
            else
                result += utf8.substr(0, step);
        }
        utf8.remove_prefix(step);
    }
    return result;
}

std::string quoted(std::string_view utf8) {
    return "'" + printable(utf8) + "'";
}

} // namespace irmb::onnx
