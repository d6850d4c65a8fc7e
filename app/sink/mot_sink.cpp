#include "mot_sink.hpp"

#include "text_format.hpp"

namespace vigil {

MotSink::MotSink(const std::string& path) : file_(path) {}

void MotSink::write(const FrameResult& result) {
    std::string lines;
    for (const irmb::Detection& found : result.detections) {
        lines += std::to_string(result.frame.index + 1) + ",-1";
        for (const float side : {found.box.x, found.box.y, found.box.width, found.box.height})
            lines += "," + fixedDecimals(side, 3);
        lines += "," + fixedDecimals(found.score, 6) + ",-1,-1,-1\n";
    }
    file_.write(lines);
}

} // namespace vigil
