#pragma once

#include "detect/detector.hpp"
#include "source/frame.hpp"

#include <irmb_dnn/detection.hpp>

#include <chrono>
#include <vector>

namespace vigil {

/// Milliseconds that each stage spent on one frame.
struct StageTimes {
    double decode_ms = 0;
    double preprocess_ms = 0;
    double inference_ms = 0;
    double postprocess_ms = 0;
    double render_ms = 0;
    double write_ms = 0;
};

/// A frame with what was found in it: what overlays draw, sinks write and observers see.
struct FrameResult {
    Frame frame;
    std::vector<irmb::Detection> detections; ///< best first, in pixels of the source
    StageTimes times;
    std::chrono::steady_clock::time_point captured_at; ///< when the source delivered the frame
    Prepared picture;                                  ///< until the network has seen it
    Inference inference;                               ///< what the detections were decoded from
    bool repeated = false; ///< seen before: sinks have it already, see Pipeline::refresh()
};

} // namespace vigil
