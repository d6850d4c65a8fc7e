#include "files.hpp"

#include "onnx/fault.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace irmb::onnx {
namespace fs = std::filesystem;

namespace {

std::string lastError() {
    return std::generic_category().message(errno);
}

void writeAll(int descriptor, const std::vector<uint8_t>& bytes, const std::string& path) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::write(descriptor, bytes.data() + done, bytes.size() - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            CV_Error(cv::Error::StsError, "cannot write '" + path + "': " + lastError());
        done += static_cast<std::size_t>(count);
    }
}

/// Closes a file descriptor at the end of its scope.
struct Descriptor {
    int value;
    ~Descriptor() { ::close(value); }
};

void openAndWrite(const std::string& path, int flags, const std::vector<uint8_t>& bytes) {
    constexpr mode_t permissions = 0666; // less what the user's mask takes away
    const Descriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, permissions)};
    if (file.value < 0)
        CV_Error(cv::Error::StsError, "cannot write '" + path + "': " + lastError());
    writeAll(file.value, bytes, path);
}

} // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
    // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor_ < 0)
        CV_Error(cv::Error::StsObjectNotFound,
                 "cannot open '" + path + "': " + lastError() + "; check the path");
    struct stat status {};
    std::string fault;
    if (::fstat(descriptor_, &status) != 0)
        fault = lastError();
    else if (S_ISDIR(status.st_mode))
        fault = "it is a folder, not a file; give an ONNX file";
    else if (!S_ISREG(status.st_mode))
        fault = "it is not a regular file; give an ONNX file";
    if (!fault.empty()) {
        ::close(descriptor_);
        CV_Error(cv::Error::StsBadArg, "cannot read '" + path + "': " + fault);
    }
    size_ = static_cast<uint64_t>(status.st_size);
}

InputFile::~InputFile() {
    ::close(descriptor_);
}

std::vector<uint8_t> InputFile::read(uint64_t offset, uint64_t length) const {
    if (offset > size_ || length > size_ - offset)
        CV_Error(cv::Error::StsOutOfRange, "'" + path_ + "' has " + std::to_string(size_) +
                                               " bytes; the model wants " + std::to_string(length) +
                                               " from byte " + std::to_string(offset) + " on; " +
                                               copy_again);
    std::vector<uint8_t> bytes(length);
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            CV_Error(cv::Error::StsError, "cannot read '" + path_ + "': " +
                                              (got < 0 ? lastError() : "it became shorter"));
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

std::string resolveInside(const std::string& folder, const std::string& location) {
    const fs::path relative(location);
    const bool climbs = std::any_of(relative.begin(), relative.end(),
                                    [](const fs::path& part) { return part == ".."; });
    if (location.empty() || location.find('\0') != std::string::npos || climbs ||
        relative.has_root_path())
        CV_Error(cv::Error::StsBadArg,
                 "external data at '" + location +
                     "': only files inside the model's folder are read; export the "
                     "model with its weights beside it, or inside");
    std::error_code error;
    const fs::path root = fs::canonical(folder, error);
    const fs::path file = error ? fs::path() : fs::canonical(root / relative, error);
    if (error)
        CV_Error(cv::Error::StsObjectNotFound, "external data file '" + location +
                                                   "' is missing (" + error.message() +
                                                   "): keep it beside the .onnx file");
    const auto [root_end, file_end] =
        std::mismatch(root.begin(), root.end(), file.begin(), file.end());
    (void)file_end;
    if (root_end != root.end())
        CV_Error(cv::Error::StsBadArg, "external data at '" + location +
                                           "' leads out of the model's folder: put the file there");
    return file.string();
}

void writeFile(const std::string& path, const std::vector<uint8_t>& bytes) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status) && !fs::is_regular_file(status))
        return openAndWrite(path, 0, bytes);
    const std::string part = path + ".part" + std::to_string(::getpid());
    try {
        openAndWrite(part, O_CREAT | O_TRUNC | O_NOFOLLOW, bytes);
        fs::rename(part, path, error);
        if (error)
            CV_Error(cv::Error::StsError, "cannot write '" + path + "': " + error.message());
    } catch (const cv::Exception&) {
        fs::remove(part, error);
        throw;
    }
}

} // namespace irmb::onnx
