#pragma once

#include "output_file.hpp"
#include "sink.hpp"

namespace vigil {

/// MOTChallenge detections, one a line: frame (from 1), id (-1: not tracked), left, top, width,
/// height in pixels of the source, score, and -1 for the three coordinates in the world.
class MotSink : public Sink {
public:
    explicit MotSink(const std::string& path);
    void write(const FrameResult& result) override;
    void finish() override { file_.close(); }

private:
    OutputFile file_;
};

} // namespace vigil
