#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigil {

/// A file, pipe or device that is written without buffers of its own: what write() took is out of
/// the program's hands. "-" is standard output. Every failure is a cv::Exception that names the
/// file and the reason.
class OutputFile {
public:
    /// Creates the file or empties it.
    explicit OutputFile(const std::string& path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(std::string_view bytes);
    void close();

    /// Whether earlier bytes can be written over: true for regular files.
    bool seekable() const { return seekable_; }
    /// As lseek(); returns the new offset.
    int64_t seek(int64_t offset, int whence);

    const std::string& name() const { return name_; }

private:
    [[noreturn]] void fail(const std::string& doing, int error) const;

    std::string name_; ///< for messages
    int descriptor_ = -1;
    bool seekable_ = false;
};

} // namespace vigil
