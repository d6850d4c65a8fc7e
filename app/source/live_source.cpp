#include "live_source.hpp"

#include "address.hpp"
#include "video_source.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vigil {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds first_pause{500};
constexpr milliseconds longest_pause{30000};

class CaptureConnection : public Connection {
public:
    explicit CaptureConnection(cv::VideoCapture capture) : capture_(std::move(capture)) {}
    bool grab() override { return capture_.grab(); }
    bool retrieve(cv::Mat& image) override { return capture_.retrieve(image) && !image.empty(); }
    double fps() const override { return capture_.get(cv::CAP_PROP_FPS); }

private:
    cv::VideoCapture capture_;
};

cv::VideoCapture openStream(const std::string& url, const LiveOptions& options) {
    cv::VideoCapture capture;
    capture.open(url, cv::CAP_FFMPEG,
                 {cv::CAP_PROP_OPEN_TIMEOUT_MSEC, options.open_timeout_ms,
                  cv::CAP_PROP_READ_TIMEOUT_MSEC, options.read_timeout_ms});
    return capture;
}

cv::VideoCapture openDevice(const std::string& spec, cv::Size size) {
    cv::VideoCapture capture;
    if (spec.find('/') == std::string::npos)
        capture.open(std::stoi(spec), cv::CAP_V4L2);
    else
        capture.open(spec, cv::CAP_V4L2);
    if (!size.empty()) {
        capture.set(cv::CAP_PROP_FRAME_WIDTH, size.width);
        capture.set(cv::CAP_PROP_FRAME_HEIGHT, size.height);
    }
    return capture;
}

std::unique_ptr<Connection> connectionTo(cv::VideoCapture capture) {
    return capture.isOpened() ? std::make_unique<CaptureConnection>(std::move(capture)) : nullptr;
}

/// Servers of files tell how long these are; live streams cannot.
bool isFinite(const std::string& url, const cv::VideoCapture& capture) {
    const bool serves_files = url.rfind("http", 0) == 0 || url.rfind("ftp", 0) == 0;
    return serves_files && capture.get(cv::CAP_PROP_FRAME_COUNT) > 0;
}

} // namespace

LiveSource::LiveSource(const std::string& name, Connect connect, const std::string& remedy,
                       const LiveOptions& options, Pause pause)
    : connect_(std::move(connect)),
      options_(options),
      pause_(std::move(pause)),
      connection_(connect_()),
      start_(steady_clock::now()) {
    if (!connection_)
        CV_Error(cv::Error::StsError, "'" + name + "' cannot be opened; " + remedy);
    info_.name = name;
    info_.live = true;
    const double fps = connection_->fps();
    info_.fps = std::isfinite(fps) && fps > 0 && fps < 1000 ? fps : 0;
}

bool LiveSource::grab(Frame& frame) {
    while (!stopped()) {
        if (connection_ && connection_->grab()) {
            const std::chrono::duration<double, std::milli> age = steady_clock::now() - start_;
            frame.time_ms = age.count();
            frame.index = next_index_++;
            return true;
        }
        if (!reconnect())
            break;
    }
    return false;
}

bool LiveSource::retrieve(Frame& frame) {
    frame.image = cv::Mat();
    return connection_->retrieve(frame.image);
}

bool LiveSource::reconnect() {
    ++interruptions_;
    milliseconds wait = first_pause;
    for (int i = 0; i < options_.max_reopenings; ++i) {
        setTrouble("no picture; opening it again, try " + std::to_string(i + 1) + " of " +
                   std::to_string(options_.max_reopenings));
        connection_.reset();
        pause(wait);
        if (stopped())
            return false;
        connection_ = connect_();
        if (connection_ && connection_->grab()) {
            setTrouble("");
            return true;
        }
        wait = std::min(wait * 2, longest_pause);
    }
    CV_Error(cv::Error::StsError, "'" + info_.name +
                                      "' fell silent and could not be opened again in " +
                                      std::to_string(options_.max_reopenings) +
                                      " tries; check the camera and the network");
}

bool LiveSource::stopped() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stopped_;
}

std::string LiveSource::trouble() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return trouble_;
}

void LiveSource::setTrouble(std::string text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    trouble_.swap(text);
}

void LiveSource::pause(milliseconds duration) {
    if (pause_)
        return pause_(duration);
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait_for(lock, duration, [this] { return stopped_; });
}

void LiveSource::stop() noexcept {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopped_ = true;
    }
    wake_.notify_all();
}

std::vector<std::string> LiveSource::warnings() const {
    if (interruptions_ == 0)
        return {};
    return {"'" + info_.name + "': " + "interrupted " + std::to_string(interruptions_) +
            (interruptions_ == 1 ? " time" : " times")};
}

std::unique_ptr<Source> openCamera(const std::string& spec, const LiveOptions& options) {
    return std::make_unique<LiveSource>(
        spec, [spec, size = options.camera_size] { return connectionTo(openDevice(spec, size)); },
        "is the camera plugged in, free and readable? 'v4l2-ctl --list-devices' lists cameras",
        options);
}

std::unique_ptr<Source> openUrl(const std::string& url, const LiveOptions& options) {
    auto first = std::make_shared<cv::VideoCapture>(openStream(url, options));
    if (first->isOpened() && isFinite(url, *first))
        return std::make_unique<VideoSource>(withoutPassword(url), *first);
    // Captures are copied, never moved, and copies share a connection: whoever keeps one keeps a
    // port that the next connection may need.
    const Connect connect = [url, options, first]() mutable {
        const auto opened = std::exchange(first, nullptr);
        return connectionTo(opened ? *opened : openStream(url, options));
    };
    return std::make_unique<LiveSource>(withoutPassword(url), connect,
                                        "check the address, the network and that the server is up",
                                        options);
}

} // namespace vigil
