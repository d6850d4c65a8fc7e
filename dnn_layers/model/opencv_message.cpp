#include "opencv_message.hpp"

#include "onnx/text.hpp"

namespace irmb {
namespace {

/// Takes every stretch from `first` up to and with the next `last` out of `text`.
void eraseBetween(std::string& text, const std::string& first, const std::string& last) {
    for (std::size_t begin = 0; (begin = text.find(first, begin)) != std::string::npos;) {
        const std::size_t end = text.find(last, begin + first.size());
        if (end == std::string::npos)
            return;
        text.erase(begin, end + last.size() - begin);
    }
}

} // namespace

std::string condensed(std::string text) {
    eraseBetween(text, "OpenCV(", ": error: ");
    eraseBetween(text, " in function '", "'");
    std::string line;
    for (const char c : text) {
        const bool gap = c == ' ' || c == '\n' || c == '\t' || c == '>';
        if (!gap)
            line += c;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    return onnx::printable(line, 400);
}

} // namespace irmb
