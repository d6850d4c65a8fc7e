#include "address.hpp"
#include "image_source.hpp"
#include "live_source.hpp"
#include "video_source.hpp"

#include <algorithm>

namespace vigil {
namespace fs = std::filesystem;
namespace {

const std::string file_scheme = "file://";

bool isCameraIndex(const std::string& spec) {
    return !spec.empty() && spec.size() <= 3 &&
           std::all_of(spec.begin(), spec.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool isGlob(const std::string& spec) {
    return spec.find_first_of("*?[") != std::string::npos;
}

std::unique_ptr<Source> openImages(const std::string& spec, std::vector<fs::path> files,
                                   const std::string& fault) {
    if (files.empty())
        CV_Error(cv::Error::StsObjectNotFound, "'" + spec + "' " + fault);
    return std::make_unique<ImageSource>(spec, std::move(files));
}

std::unique_ptr<Source> openPattern(const std::string& pattern) {
    std::vector<fs::path> files = filesMatching(pattern);
    if (files.size() == 1 && !isImageName(files.front()))
        return openVideoFile(files.front().string());
    for (const fs::path& file : files)
        if (!isImageName(file))
            CV_Error(cv::Error::StsBadArg, "'" + pattern + "' matches '" + file.string() +
                                               "', which is not an image; give videos one at a "
                                               "time");
    return openImages(pattern, std::move(files), "matches no file; check the pattern");
}

std::unique_ptr<Source> openPath(const std::string& path, const LiveOptions& live) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found)
        CV_Error(cv::Error::StsObjectNotFound, "'" + path + "' does not exist; check the path");
    if (error)
        CV_Error(cv::Error::StsError, "'" + path + "' cannot be read: " + error.message());
    if (fs::is_directory(status))
        return openImages(path, imagesInFolder(path),
                          "is a folder without images; give a video or a folder of images");
    if (path.rfind("/dev/video", 0) == 0)
        return openCamera(path, live);
    if (isImageName(path))
        return std::make_unique<ImageSource>(path, std::vector<fs::path>{path});
    return openVideoFile(path);
}

} // namespace

std::unique_ptr<Source> openSource(const std::string& spec, const LiveOptions& live) {
    if (spec.rfind(file_scheme, 0) == 0)
        return openPath(spec.substr(file_scheme.size()), live);
    if (isUrl(spec))
        return openUrl(spec, live);
    if (std::error_code ignored; fs::exists(fs::path(spec), ignored))
        return openPath(spec, live);
    if (isCameraIndex(spec))
        return openCamera(spec, live);
    if (isGlob(spec))
        return openPattern(spec);
    return openPath(spec, live);
}

} // namespace vigil
