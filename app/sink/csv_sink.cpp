#include "csv_sink.hpp"

#include "detect/model_detector.hpp"
#include "text_format.hpp"

namespace vigil {

CsvSink::CsvSink(const std::string& path, std::vector<std::string> class_names)
    : file_(path), class_names_(std::move(class_names)) {
    file_.write("frame,time_ms,class,name,score,x1,y1,x2,y2\n");
}

void CsvSink::write(const FrameResult& result) {
    const std::string frame =
        std::to_string(result.frame.index) + "," + fixedDecimals(result.frame.time_ms, 3) + ",";
    std::string lines;
    for (const irmb::Detection& found : result.detections) {
        lines += frame + std::to_string(found.class_id) + "," +
                 csvField(className(class_names_, found.class_id)) + "," +
                 fixedDecimals(found.score, 6);
        const cv::Point2f far = found.box.br();
        for (const float corner : {found.box.x, found.box.y, far.x, far.y})
            lines += "," + fixedDecimals(corner, 3);
        lines += "\n";
    }
    file_.write(lines);
}

} // namespace vigil
