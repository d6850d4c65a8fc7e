#include "cameras.hpp"

#include "image_source.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace vigil {
namespace {

class Device {
public:
    explicit Device(const std::string& path)
        : descriptor_(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC)) {}
    ~Device() {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    template <typename Argument>
    bool ask(unsigned long request, Argument& argument) const {
        return descriptor_ >= 0 && ::ioctl(descriptor_, request, &argument) == 0;
    }

private:
    int descriptor_;
};

/// The sizes of one pixel format; of ranges, the largest.
void addSizes(const Device& device, __u32 format, std::vector<cv::Size>& sizes) {
    v4l2_frmsizeenum entry{};
    entry.pixel_format = format;
    for (; device.ask(VIDIOC_ENUM_FRAMESIZES, entry); ++entry.index) {
        if (entry.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
            sizes.emplace_back(static_cast<int>(entry.stepwise.max_width),
                               static_cast<int>(entry.stepwise.max_height));
            return;
        }
        sizes.emplace_back(static_cast<int>(entry.discrete.width),
                           static_cast<int>(entry.discrete.height));
    }
}

std::vector<cv::Size> sizesOf(const Device& device) {
    std::vector<cv::Size> sizes;
    v4l2_fmtdesc format{};
    format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    for (; device.ask(VIDIOC_ENUM_FMT, format); ++format.index)
        addSizes(device, format.pixelformat, sizes);
    std::sort(sizes.begin(), sizes.end(), [](const cv::Size& a, const cv::Size& b) {
        return a.area() != b.area() ? a.area() > b.area() : a.width > b.width;
    });
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    return sizes;
}

std::vector<std::string> videoDevices() {
    std::vector<std::string> paths;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/dev", error))
        if (entry.path().filename().string().rfind("video", 0) == 0)
            paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end(), naturalLess);
    return paths;
}

} // namespace

std::vector<Camera> listCameras() {
    std::vector<Camera> cameras;
    for (const std::string& path : videoDevices()) {
        const Device device(path);
        v4l2_capability facts{};
        if (!device.ask(VIDIOC_QUERYCAP, facts) ||
            !(facts.device_caps & V4L2_CAP_VIDEO_CAPTURE)) // a decoder, or a camera's metadata
            continue;
        const auto* card = reinterpret_cast<const char*>(facts.card);
        cameras.push_back(
            {path, std::string(card, ::strnlen(card, sizeof facts.card)), sizesOf(device)});
    }
    return cameras;
}

} // namespace vigil
