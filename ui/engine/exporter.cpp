#include "exporter.hpp"

#include "detect/model_detector.hpp"
#include "outputs.hpp"

namespace vigil::ui {
namespace {

constexpr int report_interval_ms = 200;

} // namespace

Exporter::Exporter(QObject* parent) : QObject(parent) {
    connect(&timer_, &QTimer::timeout, this, &Exporter::report);
}

Exporter::~Exporter() {
    cancel();
    background_.wait();
}

void Exporter::start(const Task& task) {
    if (active_)
        return;
    active_ = true;
    cancelled_ = false;
    done_ = 0;
    total_ = -1;
    timer_.start(report_interval_ms);
    emit started();
    background_.run(
        this, [this, task] { return work(task); },
        [this, file = firstFile(task.outputs)](Outcome<RunStats>& result) {
            active_ = false;
            timer_.stop();
            if (result.error.isEmpty())
                emit finished(file, int(result.value.frames_processed), result.value.wall_s,
                              cancelled_);
            else
                emit failed(result.error);
        });
}

void Exporter::cancel() {
    cancelled_ = true;
    const std::lock_guard<std::mutex> lock(pipeline_mutex_);
    if (pipeline_)
        pipeline_->cancel();
}

void Exporter::report() {
    emit progressed(done_, total_);
}

RunStats Exporter::work(const Task& task) {
    checkOutputs(task.outputs, task.source);
    const std::unique_ptr<Source> source = openSource(task.source);
    total_ = source->info().frame_count;
    LoadedModel loaded = loadModel(task.model);
    ModelDetector detector(std::move(loaded.model), loaded.backend);
    detector.setOptions(task.decode);
    const std::vector<std::string>& names = detector.info().class_names;
    const auto sinks = makeSinks(task.outputs, {source->info(), names});
    const auto renderer = makeRenderer(names);
    PipelineParts parts{*source, detector, renderer.get(), {}, {}};
    for (const std::unique_ptr<Sink>& sink : sinks)
        parts.sinks.push_back(sink.get());
    parts.observer = [this](const FrameResult&, const RunCounts& counts) {
        done_ = counts.processed;
    };
    Pipeline pipeline(std::move(parts), Mode::Synchronous);
    struct Release {
        Exporter& exporter;
        ~Release() {
            const std::lock_guard<std::mutex> lock(exporter.pipeline_mutex_);
            exporter.pipeline_ = nullptr;
        }
    } const release{*this};
    {
        const std::lock_guard<std::mutex> lock(pipeline_mutex_);
        pipeline_ = &pipeline;
    }
    if (cancelled_)
        pipeline.cancel();
    return pipeline.run();
}

} // namespace vigil::ui
