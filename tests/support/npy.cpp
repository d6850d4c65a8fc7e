#include "npy.hpp"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <regex>
#include <vector>

namespace vigil_test {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what) {
    CV_Error(cv::Error::StsParseError, path + ": " + what);
}

std::string readFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        fail(path, "cannot be opened");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Length of the text header and where it starts, which depend on the format's version.
std::pair<size_t, size_t> headerExtent(const std::string& bytes, const std::string& path) {
    if (bytes.size() < 12 || bytes.compare(0, 6, "\x93NUMPY") != 0)
        fail(path, "is no .npy file");
    const size_t digits = bytes[6] == 1 ? 2 : 4;
    size_t length = 0;
    for (size_t i = 0; i < digits; ++i)
        length |= static_cast<size_t>(static_cast<uint8_t>(bytes[8 + i])) << (8 * i);
    if (8 + digits + length > bytes.size())
        fail(path, "ends inside its header");
    return {8 + digits, length};
}

std::vector<int> parseShape(const std::string& header, const std::string& path) {
    std::smatch match;
    if (!std::regex_search(header, match, std::regex(R"('shape': *\(([0-9, ]*)\))")))
        fail(path, "has no shape");
    const std::string list = match[1];
    const std::regex number("[0-9]+");
    std::vector<int> shape;
    for (std::sregex_iterator it(list.begin(), list.end(), number), end; it != end; ++it)
        shape.push_back(std::stoi(it->str()));
    return shape;
}

} // namespace

cv::Mat readNpy(const std::string& path) {
    std::string bytes = readFile(path);
    const auto [start, length] = headerExtent(bytes, path);
    const std::string header = bytes.substr(start, length);
    const bool is_double = header.find("'<f8'") != std::string::npos;
    if (!is_double && header.find("'<f4'") == std::string::npos)
        fail(path, "holds neither float32 nor float64");
    if (header.find("'fortran_order': False") == std::string::npos)
        fail(path, "is not in C order");
    const std::vector<int> shape = parseShape(header, path);
    const int rank = static_cast<int>(shape.size());
    const cv::Mat values(rank, shape.data(), is_double ? CV_64F : CV_32F, &bytes[start + length]);
    if (values.total() * values.elemSize() != bytes.size() - start - length)
        fail(path, "does not hold as many values as its shape says");
    cv::Mat result;
    values.convertTo(result, CV_32F);
    return result;
}

} // namespace vigil_test
