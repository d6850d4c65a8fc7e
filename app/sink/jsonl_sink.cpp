#include "jsonl_sink.hpp"

#include "detect/model_detector.hpp"
#include "text_format.hpp"

namespace vigil {
namespace {

std::string boxText(const cv::Rect2f& box) {
    const cv::Point2f far = box.br();
    return "[" + fixedDecimals(box.x, 3) + ", " + fixedDecimals(box.y, 3) + ", " +
           fixedDecimals(far.x, 3) + ", " + fixedDecimals(far.y, 3) + "]";
}

} // namespace

JsonlSink::JsonlSink(const std::string& path, std::vector<std::string> class_names)
    : file_(path), class_names_(std::move(class_names)) {}

void JsonlSink::write(const FrameResult& result) {
    std::string line = "{\"frame\": " + std::to_string(result.frame.index) +
                       ", \"time_ms\": " + fixedDecimals(result.frame.time_ms, 3);
    if (!result.frame.name.empty())
        line += ", \"file\": " + jsonString(result.frame.name);
    line += ", \"detections\": [";
    const char* separator = "";
    for (const irmb::Detection& found : result.detections) {
        line += separator;
        line += "{\"class\": " + std::to_string(found.class_id) +
                ", \"name\": " + jsonString(className(class_names_, found.class_id)) +
                ", \"score\": " + fixedDecimals(found.score, 6) +
                ", \"box\": " + boxText(found.box) + "}";
        separator = ", ";
    }
    file_.write(line + "]}\n");
}

} // namespace vigil
