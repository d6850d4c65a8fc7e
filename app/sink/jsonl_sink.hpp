#pragma once

#include "output_file.hpp"
#include "sink.hpp"

#include <vector>

namespace vigil {

/// One JSON object a frame and line:
/// {"frame": 0, "time_ms": 0.000, "detections": [{"class": 0, "name": "person",
///  "score": 0.912345, "box": [x1, y1, x2, y2]}]}, corners in pixels of the source.
class JsonlSink : public Sink {
public:
    JsonlSink(const std::string& path, std::vector<std::string> class_names);
    void write(const FrameResult& result) override;
    void finish() override { file_.close(); }

private:
    OutputFile file_;
    std::vector<std::string> class_names_;
};

} // namespace vigil
