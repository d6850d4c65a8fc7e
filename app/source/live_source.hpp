#pragma once

#include "source.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace vigil {

/// A connection to a camera or a stream. Its calls end in bounded time.
class Connection {
public:
    virtual ~Connection() = default;
    virtual bool grab() = 0;
    virtual bool retrieve(cv::Mat& image) = 0;
    virtual double fps() const = 0; ///< as announced, 0: unknown
};

/// Makes a connection; null when that fails.
using Connect = std::function<std::unique_ptr<Connection>()>;

/// Frames from a camera or a network stream. When it falls silent it is opened again, after a
/// pause that doubles with each failure. Times are those of arrival.
class LiveSource : public Source {
public:
    /// Waits for the given time or until the source is stopped; tests put in their own.
    using Pause = std::function<void(std::chrono::milliseconds)>;

    /// Throws cv::Exception when the first connection fails. `remedy` ends that message.
    LiveSource(const std::string& name, Connect connect, const std::string& remedy,
               const LiveOptions& options, Pause pause = {});

    const SourceInfo& info() const override { return info_; }
    bool grab(Frame& frame) override;
    bool retrieve(Frame& frame) override;
    void stop() noexcept override;
    std::string trouble() const override;
    std::vector<std::string> warnings() const override;

private:
    bool reconnect();
    bool stopped() const;
    void setTrouble(std::string text);
    void pause(std::chrono::milliseconds duration);

    SourceInfo info_;
    Connect connect_;
    LiveOptions options_;
    Pause pause_;
    std::unique_ptr<Connection> connection_;
    std::chrono::steady_clock::time_point start_;
    int64_t next_index_ = 0;
    int64_t interruptions_ = 0;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
    std::string trouble_;
};

/// A camera by index ("0") or device ("/dev/video0").
std::unique_ptr<Source> openCamera(const std::string& spec, const LiveOptions& options);

/// A URL: a live stream, or a file if the server tells its length.
std::unique_ptr<Source> openUrl(const std::string& url, const LiveOptions& options);

} // namespace vigil
