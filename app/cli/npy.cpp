#include "npy.hpp"

#include <opencv2/core.hpp>

#include <array>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
namespace vigil {
namespace {

constexpr char magic[] = "\x93NUMPY";
constexpr std::size_t magic_size = 6;
constexpr std::uint64_t max_header = 1 << 16; // bytes; a real header has about 100
constexpr std::size_t max_dims = 8;

[[noreturn]] void fail(const std::string& path, const std::string& fault) {
    CV_Error(cv::Error::StsParseError, path + ": " + fault);
}

struct Header {
    int depth = CV_32F;
    bool fortran_order = false;
    std::vector<int> shape;
};

/// Parses the header's Python dictionary: a string, a boolean and a tuple of integers.
class HeaderParser {
public:
    HeaderParser(const std::string& text, const std::string& path) : text_(text), path_(path) {}

    Header parse() {
        expect('{');
        while (!accept('}')) {
            parseEntry();
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        if (!descr_ || !order_ || !shape_)
            fail(path_, "its header lacks one of descr, fortran_order and shape");
        return {depthOf(*descr_), *order_, *shape_};
    }

private:
    void parseEntry() {
        const std::string key = quoted();
        expect(':');
        if (key == "descr")
            descr_ = quoted();
        else if (key == "fortran_order")
            order_ = boolean();
        else if (key == "shape")
            shape_ = tuple();
        else
            fail(path_, "its header has an unknown entry");
    }

    int depthOf(const std::string& descr) const {
        if (descr == "<f4")
            return CV_32F;
        if (descr == "<f8")
            return CV_64F;
        fail(path_, "its elements are '" + descr +
                        "'; only little-endian float32 and float64 are read: save it with "
                        "array.astype('<f4')");
    }

    void skipSpace() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])))
            ++at_;
    }

    bool accept(char wanted) {
        skipSpace();
        if (at_ >= text_.size() || text_[at_] != wanted)
            return false;
        ++at_;
        return true;
    }

    void expect(char wanted) {
        if (!accept(wanted))
            fail(path_, std::string("its header is malformed: '") + wanted + "' is missing");
    }

    std::string quoted() {
        skipSpace();
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote != '\'' && quote != '"')
            fail(path_, "its header is malformed: a quoted string is missing, perhaps because the "
                        "array has named fields");
        const std::size_t end = text_.find(quote, at_ + 1);
        if (end == std::string::npos)
            fail(path_, "its header is malformed: a string does not end");
        const std::string value = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return value;
    }

    bool boolean() {
        skipSpace();
        for (const bool value : {false, true}) {
            const std::string word = value ? "True" : "False";
            if (text_.compare(at_, word.size(), word) == 0) {
                at_ += word.size();
                return value;
            }
        }
        fail(path_, "its header is malformed: fortran_order is neither True nor False");
    }

    std::vector<int> tuple() {
        std::vector<int> values;
        expect('(');
        while (!accept(')')) {
            values.push_back(dimension());
            if (values.size() > max_dims)
                fail(path_, "it has more than " + std::to_string(max_dims) + " dimensions");
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return values;
    }

    int dimension() {
        skipSpace();
        std::int64_t value = 0;
        const std::size_t start = at_;
        for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])); ++at_) {
            value = value * 10 + (text_[at_] - '0');
            if (value > std::numeric_limits<int>::max())
                fail(path_, "a dimension of its shape is beyond 2147483647");
        }
        if (at_ == start)
            fail(path_, "its header is malformed: a dimension is not a whole number");
        if (value == 0)
            fail(path_, "it holds no elements");
        return static_cast<int>(value);
    }

    const std::string& text_;
    const std::string& path_;
    std::size_t at_ = 0;
    std::optional<std::string> descr_;
    std::optional<bool> order_;
    std::optional<std::vector<int>> shape_;
};

/// The stream and how many of its bytes have not been read yet.
struct Input {
    std::ifstream stream;
    std::uint64_t left;
    const std::string& path;

    void read(char* to, std::uint64_t size) {
        if (size > left)
            fail(path, "it ends too early");
        if (!stream.read(to, static_cast<std::streamsize>(size)))
            fail(path, "it cannot be read");
        left -= size;
    }
};

Input open(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status))
        fail(path, "no such file");
    if (!std::filesystem::is_regular_file(status))
        fail(path, "is not a regular file");
    const auto size = std::filesystem::file_size(path, error);
    Input input{std::ifstream(path, std::ios::binary), size, path};
    if (error || !input.stream)
        fail(path, "cannot be opened; check its permissions");
    return input;
}

std::string readHeaderText(Input& input) {
    std::array<char, magic_size + 2> start{};
    if (input.left < start.size())
        fail(input.path, "it is too short for a .npy file");
    input.read(start.data(), start.size());
    if (std::string(start.data(), magic_size) != std::string(magic, magic_size))
        fail(input.path, "it is not a .npy file; write one with numpy.save");
    const int version = static_cast<unsigned char>(start[magic_size]);
    if (version < 1 || version > 3)
        fail(input.path, "it has .npy format version " + std::to_string(version) +
                             "; versions 1 to 3 are read");
    std::array<char, 4> bytes{};
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    input.read(bytes.data(), length_bytes);
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        length |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    if (length > max_header)
        fail(input.path, "its header of " + std::to_string(length) + " bytes is too long");
    std::string text(length, '\0');
    input.read(text.data(), length);
    return text;
}

/// Number of elements; throws when the file does not hold exactly as many.
int checkedCount(const Header& header, const Input& input) {
    const std::uint64_t available = input.left / CV_ELEM_SIZE1(header.depth);
    std::uint64_t count = 1;
    for (const int dimension : header.shape) {
        count *= static_cast<std::uint64_t>(dimension);
        if (count > available ||
            count > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
            fail(input.path, "its shape " + shapeText(header.shape) + " calls for more than the " +
                                 std::to_string(input.left) + " bytes of data that it holds");
    }
    if (count * CV_ELEM_SIZE1(header.depth) != input.left)
        fail(input.path, "it holds " + std::to_string(input.left) + " bytes of data, its shape " +
                             shapeText(header.shape) + " calls for " +
                             std::to_string(count * CV_ELEM_SIZE1(header.depth)));
    return static_cast<int>(count);
}

/// Reorders from first index fastest to last index fastest.
template <typename T>
cv::Mat toRowMajor(const cv::Mat& values, const std::vector<int>& shape) {
    cv::Mat result(values.size(), values.type());
    std::vector<int> index(shape.size(), 0);
    for (int from = 0; from < values.cols; ++from) {
        std::size_t to = 0;
        for (std::size_t d = 0; d < shape.size(); ++d)
            to = to * shape[d] + index[d];
        result.ptr<T>()[to] = values.ptr<T>()[from];
        for (std::size_t d = 0; d < shape.size() && ++index[d] == shape[d]; ++d)
            index[d] = 0;
    }
    return result;
}

} // namespace

cv::Mat NpyArray::blob() const {
    return values.reshape(1, shape);
}

std::string shapeText(const std::vector<int>& shape) {
    std::string text;
    for (const int dimension : shape)
        text += (text.empty() ? "" : "x") + std::to_string(dimension);
    return text.empty() ? "scalar" : text;
}

NpyArray readNpy(const std::string& path) {
    Input input = open(path);
    const std::string text = readHeaderText(input);
    const Header header = HeaderParser(text, path).parse();
    const int count = checkedCount(header, input);
    NpyArray array{header.shape, cv::Mat(1, count, header.depth)};
    input.read(array.values.ptr<char>(), input.left);
    if (header.fortran_order)
        array.values = array.isFloat32() ? toRowMajor<float>(array.values, array.shape)
                                         : toRowMajor<double>(array.values, array.shape);
    return array;
}

} // namespace vigil
