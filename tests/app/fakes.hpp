#pragma once

#include "detect/detector.hpp"
#include "sink/sink.hpp"
#include "source/source.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>

namespace vigil::test {

/// Lets threads wait until another one says so, which it may do only once.
class Gate {
public:
    void open() {
        const std::lock_guard<std::mutex> lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

/// `count` pictures of 4 x 4 pixels, 40 ms apart, whose first pixel holds the frame number.
class FakeSource : public Source {
public:
    explicit FakeSource(int64_t count) : count_(count) { info_.name = "fake"; }

    const SourceInfo& info() const override { return info_; }
    bool grab(Frame& frame) override {
        if (before_grab)
            before_grab(next_);
        if (stopped_ || next_ == count_)
            return false;
        frame.index = next_;
        frame.time_ms = 40.0 * static_cast<double>(next_);
        ++next_;
        return true;
    }
    bool retrieve(Frame& frame) override {
        if (frame.index == damaged_frame)
            return false;
        frame.image = cv::Mat(4, 4, CV_8UC3, cv::Scalar::all(static_cast<double>(frame.index)));
        return true;
    }
    void stop() noexcept override {
        stopped_ = true;
        if (on_stop)
            on_stop();
    }

    std::function<void(int64_t next)> before_grab;
    std::function<void()> on_stop;
    int64_t damaged_frame = -1;

protected:
    SourceInfo info_;
    int64_t count_;
    int64_t next_ = 0;

private:
    std::atomic<bool> stopped_{false};
};

/// Finds one object a frame, of the class that the picture's first pixel holds.
class FakeDetector : public Detector {
public:
    Prepared prepare(const cv::Mat& bgr) override {
        if (before_prepare)
            before_prepare(bgr.at<cv::Vec3b>(0, 0)[0]);
        return {bgr, {}, nullptr};
    }
    Inference infer(const Prepared& picture) override {
        const int number = picture.blob.at<cv::Vec3b>(0, 0)[0];
        if (before_infer)
            before_infer(number);
        Inference inference;
        inference.output = cv::Mat(1, 1, CV_32S, cv::Scalar(number));
        return inference;
    }
    std::vector<irmb::Detection> decode(const Inference& inference) override {
        const int number = inference.output.at<int>(0);
        if (before_decode)
            before_decode(number);
        return {{number, 0.5f, cv::Rect2f(0, 0, 2, 2)}};
    }

    std::function<void(int number)> before_prepare;
    std::function<void(int number)> before_infer;
    std::function<void(int number)> before_decode;
};

/// Remembers the numbers of the frames that reached it.
class FakeSink : public Sink {
public:
    void write(const FrameResult& result) override {
        if (before_write)
            before_write(result.frame.index);
        frames.push_back(result.frame.index);
        classes.push_back(result.detections.at(0).class_id);
    }
    void finish() override {
        ++finished;
        if (fail_at_finish)
            throw std::runtime_error("finish failed");
    }

    std::function<void(int64_t index)> before_write;
    bool fail_at_finish = false;
    std::vector<int64_t> frames;
    std::vector<int> classes;
    int finished = 0;
};

} // namespace vigil::test
