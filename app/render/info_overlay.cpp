#include "info_overlay.hpp"

#include "text.hpp"

#include <opencv2/core.hpp>

#include <cinttypes>
#include <cstdio>

namespace vigil {
namespace {

std::string infoLine(const FrameResult& result) {
    const auto time_ms = static_cast<int64_t>(result.frame.time_ms);
    char text[96];
    std::snprintf(text, sizeof text,
                  "frame %" PRId64 "  %02" PRId64 ":%02" PRId64 ".%03" PRId64 "  %zu %s",
                  result.frame.index, time_ms / 60000, time_ms / 1000 % 60, time_ms % 1000,
                  result.detections.size(), result.detections.size() == 1 ? "object" : "objects");
    return text;
}

} // namespace

void InfoOverlay::draw(cv::Mat& picture, const FrameResult& result, const Scale& scale) const {
    const TextPainter painter(scale.text_height);
    const std::string text = infoLine(result);
    const cv::Rect place = cv::Rect(0, picture.rows - painter.height(),
                                    painter.widthOf(text) + 2 * scale.gap, painter.height()) &
                           cv::Rect(cv::Point(), picture.size());
    cv::Mat backdrop = picture(place);
    backdrop *= 0.35; // the picture shows through
    painter.draw(picture, text, cv::Point(scale.gap, picture.rows - painter.height()),
                 cv::Scalar::all(255));
}

} // namespace vigil
