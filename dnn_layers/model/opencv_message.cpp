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

/// What stands in `text` behind `first` and before the next `last`; empty where they do not occur.
std::string between(const std::string& text, const std::string& first, const std::string& last) {
    const std::size_t found = text.find(first);
    if (found == std::string::npos)
        return "";
    const std::size_t begin = found + first.size();
    const std::size_t end = text.find(last, begin);
    return end == std::string::npos ? "" : text.substr(begin, end - begin);
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

std::string missingOperator(const std::string& text) {
    const std::string added = "onnx_node!"; // the importer's, in front of the names of nodes
    const std::string type = between(text, "\" of type \"", "\"");
    std::string node = between(text, "Can't create layer \"", "\"");
    if (type.empty() || node.empty())
        return "";
    if (node.compare(0, added.size(), added) == 0)
        node.erase(0, added.size());
    return "operator " + onnx::quoted(type) + " (node " + onnx::quoted(node) + ")";
}

} // namespace irmb
