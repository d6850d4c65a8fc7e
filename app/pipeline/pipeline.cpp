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

struct Inferred {
    FrameResult result;
    Inference inference;
};

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
    Stages(Source& source_in, std::size_t capture_capacity)
        : source(source_in), captured(capture_capacity), inferred(1), decoded(1) {}

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
    BoundedQueue<Inferred> inferred;
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
        ++captured_;
        if (!parts_.source.retrieve(result.frame)) {
            ++damaged_;
            continue;
        }
        result.times.decode_ms = watch.lapMs();
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
        Inferred out;
        out.inference = parts_.detector.infer(item->frame.image);
        out.result = std::move(*item);
        out.result.times.preprocess_ms = out.inference.preprocess_ms;
        out.result.times.inference_ms = out.inference.inference_ms;
        if (!stages.inferred.push(std::move(out)))
            return;
    }
}

void Pipeline::postprocess(Stages& stages) {
    while (std::optional<Inferred> item = stages.inferred.pop()) {
        Stopwatch watch;
        item->result.detections = parts_.detector.decode(item->inference);
        item->result.times.postprocess_ms = watch.lapMs();
        if (!stages.decoded.push(std::move(item->result)))
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
        deliver(*item);
        ++stats.frames_processed;
        addTimes(item->times, stats.latency);
        if (parts_.observer)
            parts_.observer(*item, {captured_, stats.frames_processed, superseded_ + damaged_});
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
    Stages stages(parts_.source, mode_ == Mode::RealTime ? 1 : reserve);
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
    finishSinks(stages);

    stats.frames_captured = captured_;
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
