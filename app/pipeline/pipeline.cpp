#include "pipeline.hpp"

#include "bounded_queue.hpp"
#include "stopwatch.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

namespace vigil {
namespace {

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
    explicit Stages(Source& source_in) : source(source_in) {}

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
    // One frame at each hand-over: few at a time, but enough ahead of the detector to keep it busy
    // when decoding is late.
    BoundedQueue<FrameResult> captured{1};
    BoundedQueue<FrameResult> prepared{1};
    BoundedQueue<FrameResult> inferred{1};
    BoundedQueue<FrameResult> decoded{1};
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

void Pipeline::prepare(Stages& stages) {
    while (true) {
        // A frame that is prepared ahead saves the detector a wait but grows old meanwhile.
        if (mode_ == Mode::RealTime)
            stages.prepared.awaitDemand();
        std::optional<FrameResult> item = stages.captured.pop();
        if (!item)
            return;
        Stopwatch watch;
        item->picture = parts_.detector.prepare(item->frame.image);
        item->times.preprocess_ms = watch.lapMs();
        if (!stages.prepared.push(std::move(*item)))
            return;
    }
}

void Pipeline::infer(Stages& stages) {
    while (std::optional<FrameResult> item = stages.prepared.pop()) {
        Stopwatch watch;
        item->inference = parts_.detector.infer(item->picture);
        item->times.inference_ms = watch.lapMs();
        item->picture = Prepared();
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
    std::thread preparing([&] {
        stages.guard([&] { prepare(stages); });
        stages.captured.abort();
        stages.prepared.close();
    });
    std::thread inferring([&] {
        stages.guard([&] { infer(stages); });
        stages.prepared.abort();
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
    preparing.join();
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
