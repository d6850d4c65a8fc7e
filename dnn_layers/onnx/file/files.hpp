#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace irmb::onnx {

/// No model file and no model's weights may be larger: protobuf's own limit.
constexpr uint64_t kMaxModelBytes = uint64_t{1} << 31;

/// A regular file that is read in pieces. What is no regular file (a folder, a pipe, a device) is
/// refused before anything could block.
class InputFile {
public:
    /// Throws cv::Exception (StsBadArg, StsObjectNotFound) that names `path` and what is wrong.
    explicit InputFile(const std::string& path);
    ~InputFile();
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    uint64_t size() const { return size_; }

    /// Bytes [offset, offset + length); throws cv::Exception when the file does not hold them all.
    std::vector<uint8_t> read(uint64_t offset, uint64_t length) const;

private:
    std::string path_;
    int descriptor_ = -1;
    uint64_t size_ = 0;
};

/// Where a model keeps its weights outside: `location`, as the file says it, inside `folder`.
/// Throws cv::Exception when it is not a plain relative path or leads out of the folder, by
/// whatever means ("..", absolute, symbolic link).
std::string resolveInside(const std::string& folder, const std::string& location);

/// Writes a file at once: beside `path` first, then renamed, so that no reader ever sees half of
/// it. What exists and is no regular file (a pipe, a device) is written to directly.
/// Throws cv::Exception that names `path` and what is wrong.
void writeFile(const std::string& path, const std::vector<uint8_t>& bytes);

} // namespace irmb::onnx
