#include "image_sink.hpp"

#include "output_file.hpp"
#include "source/image_source.hpp"

#include <opencv2/imgcodecs.hpp>

#include <filesystem>
#include <regex>

namespace vigil {
namespace fs = std::filesystem;
namespace {

bool isFolder(const std::string& path) {
    return (!path.empty() && path.back() == '/') || fs::is_directory(path);
}

std::string padded(int64_t number, int width) {
    const std::string digits = std::to_string(number);
    const auto wanted = static_cast<std::size_t>(width);
    return digits.size() < wanted ? std::string(wanted - digits.size(), '0') + digits : digits;
}

void createFolder(const std::string& path) {
    std::error_code error;
    fs::create_directory(path, error);
    if (!fs::is_directory(path))
        CV_Error(cv::Error::StsError,
                 "'" + path + "' cannot be created: " + (error ? error.message() : "it is a file") +
                     "; create its parent folder first");
}

} // namespace

bool ImageSink::takes(const std::string& path) {
    return isFolder(path) || isImageName(path);
}

ImageSink::ImageSink(const std::string& path, const SourceInfo& source)
    : path_(path), is_folder_(isFolder(path)) {
    std::smatch number;
    static const std::regex placeholder("%(0([1-9]))?d");
    if (is_folder_) {
        createFolder(path_);
    } else if (std::regex_search(path_, number, placeholder)) {
        number_begin_ = static_cast<std::size_t>(number.position());
        number_length_ = static_cast<std::size_t>(number.length());
        number_width_ = number[2].matched ? std::stoi(number[2]) : 1;
    } else if (!source.stills || source.frame_count != 1) {
        CV_Error(cv::Error::StsBadArg, "'" + path + "' is one image, but '" + source.name +
                                           "' may hold many frames; name a video, a folder such "
                                           "as frames/ or numbered images such as f_%05d.png");
    }
}

std::string ImageSink::fileFor(const Frame& frame) const {
    if (is_folder_) {
        const std::string name =
            frame.name.empty() ? "frame_" + padded(frame.index, 6) + ".jpg" : frame.name;
        return (fs::path(path_) / name).string();
    }
    std::string path = path_;
    if (number_begin_ != std::string::npos)
        path.replace(number_begin_, number_length_, padded(frame.index, number_width_));
    return path;
}

void ImageSink::write(const FrameResult& result) {
    const std::string path = fileFor(result.frame);
    std::vector<uchar> bytes;
    if (!cv::imencode(fs::path(path).extension().string(), result.frame.image, bytes))
        CV_Error(cv::Error::StsError, "'" + path + "' cannot be encoded; choose another format");
    OutputFile file(path);
    file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    file.close();
}

} // namespace vigil
