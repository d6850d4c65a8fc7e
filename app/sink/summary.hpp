#pragma once

#include "detect/model_detector.hpp"
#include "pipeline/pipeline.hpp"

#include <string>

namespace vigil {

/// How a run went, as JSON: frames captured, processed and dropped by cause, speed, percentiles of
/// each stage, what the network really ran on, and what became of its iRMBs.
std::string summaryJson(const RunStats& stats, const SourceInfo& source, Mode mode,
                        ModelDetector& detector);

/// The same in one line for people.
std::string summaryLine(const RunStats& stats);

} // namespace vigil
