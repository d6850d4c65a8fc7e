#include "npy_files.hpp"

#include "support/scratch_folder.hpp"

#include <fstream>

namespace vigil::test {

std::string temporaryPath(const std::string& suffix) {
    static const ScratchFolder folder;
    static int count = 0;
    return folder.path(std::to_string(count++) + suffix);
}

void writeFile(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string npyBytes(const std::string& header, const std::string& data, int version) {
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    std::string text = header;
    while ((6 + 2 + length_bytes + text.size() + 1) % 64 != 0)
        text += ' ';
    text += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += static_cast<char>(version);
    bytes += '\0';
    for (std::size_t i = 0; i < length_bytes; ++i)
        bytes += static_cast<char>(text.size() >> (8 * i) & 0xff);
    return bytes + text + data;
}

std::string writeNpy(const cv::Mat& array) {
    std::string header = array.depth() == CV_32F ? "{'descr': '<f4'" : "{'descr': '<f8'";
    header += ", 'fortran_order': False, 'shape': (";
    for (int d = 0; d < array.dims; ++d)
        header += std::to_string(array.size[d]) + ", ";
    const std::string data(array.ptr<char>(), array.total() * array.elemSize());
    const std::string path = temporaryPath(".npy");
    writeFile(path, npyBytes(header + "), }", data));
    return path;
}

} // namespace vigil::test
