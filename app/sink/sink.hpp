#pragma once

#include "pipeline/frame_result.hpp"

namespace vigil {

/// Takes results, in order, from one thread.
class Sink {
public:
    virtual ~Sink() = default;

    /// Whether it needs overlays drawn into the picture.
    virtual bool wantsPicture() const { return false; }

    /// Throws cv::Exception when the result cannot be written. Nothing is held back: what was
    /// written stays readable if the program is killed.
    virtual void write(const FrameResult& result) = 0;

    /// Completes the output. Throws cv::Exception when something could not be written.
    virtual void finish() = 0;
};

} // namespace vigil
