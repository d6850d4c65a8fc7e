#include "image_source.hpp"

#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <glob.h>

namespace vigil {
namespace fs = std::filesystem;
namespace {

constexpr double nominal_fps = 25;
constexpr double rounding = 0.01; // of a frame
constexpr std::size_t max_warnings = 20;

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

/// Moves `i` behind the run of digits that starts there; returns the run without leading zeros.
std::string takeNumber(const std::string& text, std::size_t& i) {
    while (i < text.size() && text[i] == '0')
        ++i;
    const std::size_t begin = i;
    while (i < text.size() && isDigit(text[i]))
        ++i;
    return text.substr(begin, i - begin);
}

void sortNaturally(std::vector<fs::path>& files) {
    std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
        return naturalLess(a.string(), b.string());
    });
}

} // namespace

bool isImageName(const fs::path& path) {
    static const std::array<const char*, 11> endings = {
        ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jp2"};
    const std::string ending = cv::toLowerCase(path.extension().string());
    return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

bool naturalLess(const std::string& a, const std::string& b) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        if (isDigit(a[i]) && isDigit(b[j])) {
            const std::string m = takeNumber(a, i);
            const std::string n = takeNumber(b, j);
            if (m != n)
                return m.size() != n.size() ? m.size() < n.size() : m < n;
        } else if (a[i] != b[j]) {
            return a[i] < b[j];
        } else {
            ++i;
            ++j;
        }
    }
    if (a.size() - i != b.size() - j)
        return a.size() - i < b.size() - j;
    return a < b; // "f01" and "f1": any fixed order
}

std::vector<fs::path> imagesInFolder(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
        if (std::error_code ignored; entry.is_regular_file(ignored) && isImageName(entry.path()))
            files.push_back(entry.path());
    if (error)
        CV_Error(cv::Error::StsError,
                 "'" + folder.string() + "' cannot be read: " + error.message());
    sortNaturally(files);
    return files;
}

std::vector<fs::path> filesMatching(const std::string& pattern) {
    glob_t matches{};
    std::vector<fs::path> files;
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches) == 0)
        for (std::size_t i = 0; i < matches.gl_pathc; ++i)
            if (fs::is_regular_file(matches.gl_pathv[i]))
                files.emplace_back(matches.gl_pathv[i]);
    ::globfree(&matches);
    sortNaturally(files);
    return files;
}

ImageSource::ImageSource(const std::string& name, std::vector<fs::path> files)
    : files_(std::move(files)) {
    CV_Assert(!files_.empty());
    info_.name = name;
    info_.stills = true;
    info_.fps = nominal_fps;
    info_.seekable = true;
    info_.frame_count = static_cast<int64_t>(files_.size());
    info_.duration_ms = static_cast<double>(files_.size()) * 1000 / nominal_fps;
}

bool ImageSource::grab(Frame& frame) {
    if (next_ == files_.size())
        return false;
    frame.index = static_cast<int64_t>(next_);
    frame.time_ms = static_cast<double>(next_) * 1000 / nominal_fps;
    frame.name = files_[next_].filename().string();
    ++next_;
    return true;
}

bool ImageSource::retrieve(Frame& frame) {
    const std::string path = files_[next_ - 1].string();
    try {
        frame.image = cv::imread(path, cv::IMREAD_COLOR);
    } catch (const cv::Exception&) { // larger than OpenCV's limit on pixels
        frame.image.release();
    }
    if (!frame.image.empty())
        return true;
    if (warnings_.size() < max_warnings)
        warnings_.push_back("'" + path + "' cannot be read as an image");
    return false;
}

bool ImageSource::seek(double time_ms) {
    const double place = std::ceil(time_ms * nominal_fps / 1000 - rounding);
    next_ =
        static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(files_.size() - 1)));
    return true;
}

bool ImageSource::seekBefore(double time_ms) {
    return seek(time_ms - 1000 / nominal_fps);
}

} // namespace vigil
