#include "box_overlay.hpp"

#include "detect/model_detector.hpp"
#include "palette.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace vigil {
namespace {

constexpr int rim_width = 1;

std::string percent(float score) {
    return std::to_string(cvRound(100 * std::clamp(score, 0.f, 1.f))) + "%";
}

cv::Rect wholePixels(const cv::Rect2f& box, cv::Size picture) {
    const cv::Rect rounded(cv::Point(cvRound(box.x), cvRound(box.y)),
                           cv::Point(cvRound(box.br().x), cvRound(box.br().y)));
    return rounded & cv::Rect(cv::Point(), picture);
}

int overlap(const cv::Rect& label, const std::vector<cv::Rect>& taken) {
    int area = 0;
    for (const cv::Rect& other : taken)
        area += (label & other).area();
    return area;
}

/// A dark rim keeps the box visible on a background of its own colour.
void drawBox(cv::Mat& picture, const cv::Rect& box, const cv::Scalar& colour, int width) {
    const cv::Scalar rim = colour * 0.25;
    cv::rectangle(picture, box, rim, width + 2 * rim_width, cv::LINE_8);
    cv::rectangle(picture, box, colour, width, cv::LINE_8);
}

} // namespace

cv::Rect placeLabel(const cv::Rect& box, cv::Size size, cv::Size picture,
                    const std::vector<cv::Rect>& taken) {
    const int right = box.br().x - size.width;
    const cv::Point places[] = {
        {box.x, box.y - size.height}, // above
        {box.x, box.y},               // inside, at the top
        {box.x, box.br().y},          // below
        {right, box.y - size.height}, // above, flush right
        {box.br().x, box.y},          // to the right
        {box.x - size.width, box.y},  // to the left
        {box.x, box.br().y - size.height},
    };
    cv::Rect best;
    int least = -1;
    for (const cv::Point& corner : places) {
        const cv::Rect place(std::clamp(corner.x, 0, std::max(0, picture.width - size.width)),
                             std::clamp(corner.y, 0, std::max(0, picture.height - size.height)),
                             size.width, size.height);
        const int covered = overlap(place, taken);
        if (least >= 0 && covered >= least)
            continue;
        best = place;
        least = covered;
        if (least == 0)
            break;
    }
    return best;
}

BoxOverlay::BoxOverlay(std::vector<std::string> class_names)
    : class_names_(std::move(class_names)) {}

std::vector<BoxOverlay::Label> BoxOverlay::labelsFor(const FrameResult& result, cv::Size picture,
                                                     const TextPainter& painter,
                                                     const Scale& scale) const {
    std::vector<Label> labels;
    std::vector<cv::Rect> taken;
    for (const irmb::Detection& found : result.detections) { // the best choose their place first
        Label label;
        label.text = className(class_names_, found.class_id) + " " + percent(found.score);
        label.colour = classColour(found.class_id);
        const cv::Size size(painter.widthOf(label.text) + 2 * scale.gap, painter.height());
        const int outwards = scale.line / 2 + rim_width;
        const cv::Rect box = wholePixels(found.box, picture);
        const cv::Rect drawn(box.x - outwards, box.y - outwards, box.width + 2 * outwards,
                             box.height + 2 * outwards);
        label.place = placeLabel(drawn, size, picture, taken);
        taken.push_back(label.place);
        labels.push_back(label);
    }
    return labels;
}

void BoxOverlay::draw(cv::Mat& picture, const FrameResult& result, const Scale& scale) const {
    const TextPainter painter(scale.text_height);
    // The best come last, on top of the others; labels on top of all boxes.
    for (auto found = result.detections.rbegin(); found != result.detections.rend(); ++found)
        drawBox(picture, wholePixels(found->box, picture.size()), classColour(found->class_id),
                scale.line);
    const std::vector<Label> labels = labelsFor(result, picture.size(), painter, scale);
    for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
        cv::rectangle(picture, label->place, label->colour, cv::FILLED);
        painter.draw(picture, label->text, label->place.tl() + cv::Point(scale.gap, 0),
                     textColourOn(label->colour));
    }
}

} // namespace vigil
