#pragma once

#include "media_engine.hpp"
#include "pipeline/pipeline.hpp"

#include <atomic>
#include <mutex>

namespace vigil::ui {

/// Works through a recording from its start to its end, every frame, with a source and a model of
/// its own: what `vigil run` does, beside what is being played.
class Exporter : public QObject {
    Q_OBJECT

public:
    struct Task {
        std::string source;
        ModelOptions model;
        irmb::DecodeOptions decode;
        Outputs outputs;
    };

    explicit Exporter(QObject* parent = nullptr);
    /// Cancels and waits: files are completed.
    ~Exporter() override;

    /// One at a time.
    void start(const Task& task);
    void cancel();
    bool active() const { return active_; }

signals:
    void started();
    /// `total` <= 0: unknown.
    void progressed(qint64 done, qint64 total);
    /// `file` is the first of those written.
    void finished(const QString& file, int frames, double seconds, bool cancelled);
    void failed(const QString& error);

private:
    RunStats work(const Task& task);
    void report();

    bool active_ = false;
    std::atomic<bool> cancelled_{false};
    std::atomic<int64_t> done_{0};
    std::atomic<int64_t> total_{-1};
    std::mutex pipeline_mutex_;
    Pipeline* pipeline_ = nullptr;
    QTimer timer_;
    Background background_;
};

} // namespace vigil::ui
