#include "output_file.hpp"

#include <opencv2/core.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vigil {
namespace {

std::string remedy(int error) {
    switch (error) {
    case ENOENT:
        return "; create its folder first";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; choose a place that you may write to";
    case EISDIR:
        return "; name a file in it";
    case ENOSPC:
    case EDQUOT:
        return "; make room or choose another disk";
    case EPIPE:
        return "; the reader of the pipe went away";
    default:
        return "";
    }
}

} // namespace

OutputFile::OutputFile(const std::string& path)
    : name_(path == "-" ? "standard output" : "'" + path + "'") {
    constexpr mode_t permissions = 0666;
    descriptor_ = path == "-"
                      ? ::dup(STDOUT_FILENO)
                      : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions);
    if (descriptor_ < 0)
        fail("cannot be opened for writing", errno);
    struct stat facts {};
    seekable_ = path != "-" && ::fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode);
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

void OutputFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written >= 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            fail("cannot be written", errno);
    }
}

int64_t OutputFile::seek(int64_t offset, int whence) {
    const int64_t place = ::lseek(descriptor_, offset, whence);
    if (place < 0)
        fail("cannot be written", errno);
    return place;
}

void OutputFile::close() {
    if (descriptor_ < 0)
        return;
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0 && errno != EINTR)
        fail("cannot be written", errno);
}

void OutputFile::fail(const std::string& doing, int error) const {
    CV_Error(cv::Error::StsError,
             name_ + " " + doing + ": " + std::strerror(error) + remedy(error));
}

} // namespace vigil
