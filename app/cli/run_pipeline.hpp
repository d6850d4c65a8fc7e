#pragma once

#include "interrupt.hpp"
#include "pipeline/pipeline.hpp"
#include "progress.hpp"

namespace vigil {

/// Runs the pipeline under the eyes of the user, who may stop it.
RunStats runPipeline(PipelineParts parts, Mode mode, const FrameRange& range, Progress progress,
                     InterruptGuard& interrupt);

} // namespace vigil
