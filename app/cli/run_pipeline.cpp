#include "run_pipeline.hpp"

namespace vigil {

RunStats runPipeline(PipelineParts parts, Mode mode, const FrameRange& range, Progress progress,
                     InterruptGuard& interrupt) {
    parts.observer = [&](const FrameResult&, const RunCounts& counts) {
        progress.update(counts.processed, counts.dropped.total());
    };
    Pipeline pipeline(std::move(parts), mode, range);
    struct Release {
        InterruptGuard& guard;
        ~Release() { guard.onInterrupt(nullptr); }
    } const release{interrupt};
    interrupt.onInterrupt([&] {
        progress.say("stopping: completing the files; Ctrl-C again ends at once");
        pipeline.cancel();
    });
    const RunStats stats = pipeline.run();
    progress.clear();
    return stats;
}

} // namespace vigil
