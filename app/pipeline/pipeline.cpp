#include "pipeline.hpp"

#include "bounded_queue.hpp"
#include "stopwatch.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

namespace vigil {
namespace {

// Decoding has the most jitter: a frame in reserve keeps the detector busy. A real-time run keeps
// the newest frame alone, and so do the later hand-overs, to hold few frames at a time.
constexpr std::size_t reserve = 2;

void addTimes(const StageTimes& times, std::map<std::string, LatencyStats>& latency) {
    latency["decode"].add(times.decode_ms);
    latency["preprocess"].add(times.preprocess_ms);
    latency["inference"].add(times.inference_ms);
    latency["postprocess"].add(times.postprocess_ms);
    latency["render"].add(times.render_ms);
    latency["write"].add(times.write_ms);
}

} // namespace

/// What the stages of one run share.
struct Pipeline::Stages {
    explicit Stages(Source& source_in)
        : source(source_in), captured(reserve), inferred(1), decoded(1) {}

    /// Runs one stage and keeps its failure if it is the first.
    template <typename Work>
    void guard(Work work) noexcept {
        try {
            work();
        } catch (...) {
            {
                const std::lock_guard<std::mutex> lock(mutex);
                if (!error)
                    error = std::current_exception();
            }
            failed = true;
            source.stop();
        }
    }

    Source& source;
    BoundedQueue<FrameResult> captured;
    BoundedQueue<FrameResult> inferred;
    BoundedQueue<FrameResult> decoded;
    std::atomic<bool> failed{false};
    std::mutex mutex;
    std::exception_ptr error;
};

Pipeline::Pipeline(PipelineParts parts, Mode mode, const FrameRange& range)
    : parts_(std::move(parts)), mode_(mode), range_(range) {
    CV_Assert(range_.every > 0);
    draws_ = parts_.renderer && std::any_of(parts_.sinks.begin(), parts_.sinks.end(),
                                            [](const Sink* sink) { return sink->wantsPicture(); });
}

void Pipeline::cancel() noexcept {
    cancelled_ = true;
    parts_.source.stop();
}

RunCounts Pipeline::counts() const noexcept {
    return {captured_, processed_, {superseded_, damaged_, 0}};
}

void Pipeline::setStages(Stages* stages) {
    const std::lock_guard<std::mutex> lock(refresh_mutex_);
    stages_ = stages;
}

void Pipeline::keep(const FrameResult& result) {
    const std::lock_guard<std::mutex> lock(refresh_mutex_);
    newest_ = result;
}

void Pipeline::refresh(Redo what) {
    const std::lock_guard<std::mutex> lock(refresh_mutex_);
    if (!stages_ || newest_.frame.image.empty())
        return;
    FrameResult again = newest_;
    again.repeated = true;
    if (what == Redo::Inference)
        stages_->captured.pushIfEmpty(std::move(again));
    else
        stages_->inferred.pushIfEmpty(std::move(again));
}

void Pipeline::capture(Stages& stages) {
    FramePicker picker(range_);
    FrameResult result;
    Stopwatch watch;
    while (!cancelled_ && !stages.failed && parts_.source.grab(result.frame)) {
        const FramePicker::Verdict verdict = picker.judge(result.frame);
        if (verdict == FramePicker::Verdict::Finished)
            return;
        if (verdict == FramePicker::Verdict::Skip)
            continue;
        if (parts_.source.info().live)
            watch.lapMs(); // waiting for a live frame is no work
        result.captured_at = std::chrono::steady_clock::now();
        ++captured_;
        if (!parts_.source.retrieve(result.frame)) {
            ++damaged_;
            continue;
        }
        result.times.decode_ms = std::max(0.0, watch.lapMs() - result.frame.waited_ms);
        int64_t superseded = 0;
        const bool goes_on = mode_ == Mode::RealTime
                                 ? stages.captured.pushNewest(std::move(result), superseded)
                                 : stages.captured.push(std::move(result));
        superseded_ += superseded;
        if (!goes_on)
            return;
        result = FrameResult();
        watch.lapMs();
    }
}

void Pipeline::infer(Stages& stages) {
    while (std::optional<FrameResult> item = stages.captured.pop()) {
        item->inference = parts_.detector.infer(item->frame.image);
        item->times.preprocess_ms = item->inference.preprocess_ms;
        item->times.inference_ms = item->inference.inference_ms;
        if (!stages.inferred.push(std::move(*item)))
            return;
    }
}

void Pipeline::postprocess(Stages& stages) {
    while (std::optional<FrameResult> item = stages.inferred.pop()) {
        keep(*item);
        Stopwatch watch;
        item->detections = parts_.detector.decode(item->inference);
        item->times.postprocess_ms = watch.lapMs();
        if (!stages.decoded.push(std::move(*item)))
            return;
    }
}

void Pipeline::deliver(FrameResult& result) {
    Stopwatch watch;
    if (draws_)
        parts_.renderer->draw(result);
    result.times.render_ms = watch.lapMs();
    for (Sink* sink : parts_.sinks)
        sink->write(result);
    result.times.write_ms = watch.lapMs();
}

void Pipeline::output(Stages& stages, RunStats& stats) {
    while (std::optional<FrameResult> item = stages.decoded.pop()) {
        if (!item->repeated) {
            deliver(*item);
            ++processed_;
            addTimes(item->times, stats.latency);
        }
        if (parts_.observer)
            parts_.observer(*item, counts());
    }
}

/// Every sink gets the chance to complete its file, whatever happened before or to the others.
void Pipeline::finishSinks(Stages& stages) {
    for (Sink* sink : parts_.sinks)
        stages.guard([sink] { sink->finish(); });
}

RunStats Pipeline::run() {
    RunStats stats;
    Stopwatch watch;
    Stages stages(parts_.source);
    setStages(&stages);
    // A stage that ends, for whatever reason, lets those after it use up what it made and tells
    // those before it that nothing more will be taken.
    std::thread capturing([&] {
        stages.guard([&] { capture(stages); });
        stages.captured.close();
    });
    std::thread inferring([&] {
        stages.guard([&] { infer(stages); });
        stages.captured.abort();
        stages.inferred.close();
    });
    std::thread postprocessing([&] {
        stages.guard([&] { postprocess(stages); });
        stages.inferred.abort();
        stages.decoded.close();
    });
    stages.guard([&] { output(stages, stats); });
    stages.decoded.abort();
    capturing.join();
    inferring.join();
    postprocessing.join();
    setStages(nullptr);
    finishSinks(stages);

    stats.frames_captured = captured_;
    stats.frames_processed = processed_;
    stats.dropped.superseded = superseded_;
    stats.dropped.damaged = damaged_;
    stats.dropped.aborted = captured_ - stats.frames_processed - superseded_ - damaged_;
    stats.wall_s = watch.lapMs() / 1000;
    stats.cancelled = cancelled_;
    stats.warnings = parts_.source.warnings();
    if (stages.error)
        std::rethrow_exception(stages.error);
    return stats;
}

} // namespace vigil
