#include "ranking.hpp"

#include <irmb_dnn/detection.hpp>

#include <opencv2/dnn.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace irmb {
namespace {

constexpr int kMaxNmsBoxes = 30000; // as Ultralytics; the cost of NMS is quadratic
constexpr float kNmsIou = 0.45f;    // of heads that need NMS
constexpr int kMaxClass = 1 << 20;

std::string sizeText(const cv::Mat& mat) {
    std::string text;
    for (int i = 0; i < mat.dims; ++i)
        text += (i == 0 ? "" : "x") + std::to_string(mat.size[i]);
    return text;
}

RawHead rawHead(const cv::Mat& output, int image) {
    if (output.dims != 3 || output.type() != CV_32F || output.size[1] < 5 || !output.isContinuous())
        CV_Error(cv::Error::StsBadArg, "a raw detection head is float32 [B, 4 + classes, anchors], "
                                       "this output is " +
                                           sizeText(output));
    return {output.ptr<float>(image), output.size[1] - 4, output.size[2]};
}

void checkImage(const cv::Mat& output, int image) {
    if (output.dims != 3 || image < 0 || image >= output.size[0])
        CV_Error(cv::Error::StsBadArg,
                 "no image " + std::to_string(image) + " in an output of " + sizeText(output));
}

/// The classes to look at: those asked for that exist, in order and once each, or all.
std::vector<int> wantedClasses(const std::vector<int>& asked, int classes) {
    std::vector<int> wanted;
    if (asked.empty()) {
        wanted.resize(static_cast<std::size_t>(classes));
        std::iota(wanted.begin(), wanted.end(), 0);
        return wanted;
    }
    std::copy_if(asked.begin(), asked.end(), std::back_inserter(wanted),
                 [classes](int id) { return id >= 0 && id < classes; });
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    return wanted;
}

/// Appends a detection unless nothing of its box lies in the source image.
void add(std::vector<Detection>& detections, int class_id, float score, const cv::Rect2f& box) {
    if (box.width > 0.f && box.height > 0.f)
        detections.push_back({class_id, score, box});
}

/// Indices, best first, of the boxes that no better one of their class overlaps by more than `iou`.
std::vector<int> suppress(const std::vector<cv::Rect2d>& boxes, const std::vector<float>& scores,
                          const std::vector<int>& ids, float iou) {
    std::vector<int> kept;
    if (!boxes.empty())
        cv::dnn::NMSBoxesBatched(boxes, scores, ids, 0.f, iou, kept, 1.f, kMaxNmsBoxes);
    return kept;
}

std::vector<Detection> withoutDoubles(const std::vector<Detection>& detections, float iou) {
    std::vector<cv::Rect2d> boxes;
    std::vector<float> scores;
    std::vector<int> ids;
    for (const Detection& found : detections) {
        boxes.emplace_back(found.box);
        scores.push_back(found.score);
        ids.push_back(found.class_id);
    }
    std::vector<Detection> kept;
    for (const int index : suppress(boxes, scores, ids, iou))
        kept.push_back(detections[static_cast<std::size_t>(index)]);
    return kept;
}

std::vector<Detection> decodeXyxy(const RawHead& head, const Letterbox& box,
                                  const DecodeOptions& options) {
    const auto wanted = wantedClasses(options.classes, head.classes);
    std::vector<Detection> detections;
    for (const Candidate& c : rankPairs(head, wanted, options.confidence, options.max_detections))
        add(detections, c.class_id, c.score,
            box.toSource(head.row(0)[c.anchor], head.row(1)[c.anchor], head.row(2)[c.anchor],
                         head.row(3)[c.anchor]));
    return detections;
}

std::vector<Detection> decodeCxcywh(const RawHead& head, const Letterbox& box,
                                    const DecodeOptions& options) {
    const auto wanted = wantedClasses(options.classes, head.classes);
    std::vector<cv::Rect2d> boxes;
    std::vector<float> scores;
    std::vector<int> ids;
    for (const Candidate& c : bestClasses(head, wanted, options.confidence)) {
        const double width = head.row(2)[c.anchor];
        const double height = head.row(3)[c.anchor];
        boxes.emplace_back(head.row(0)[c.anchor] - width / 2, head.row(1)[c.anchor] - height / 2,
                           width, height);
        scores.push_back(c.score);
        ids.push_back(c.class_id);
    }
    const float iou = options.nms_iou > 0 ? options.nms_iou : kNmsIou;
    std::vector<Detection> detections;
    for (const int index : suppress(boxes, scores, ids, iou)) {
        if (detections.size() >= static_cast<std::size_t>(options.max_detections))
            break;
        const auto i = static_cast<std::size_t>(index);
        const cv::Rect2f corners(boxes[i]);
        add(detections, ids[i], scores[i],
            box.toSource(corners.x, corners.y, corners.br().x, corners.br().y));
    }
    return detections;
}

/// Whether a row x1, y1, x2, y2, score, class is a detection of those asked for.
bool isWanted(const float* row, const DecodeOptions& options) {
    const bool finite = std::all_of(row, row + 6, [](float v) { return std::isfinite(v); });
    if (!finite || row[4] < options.confidence || row[5] < 0.f || row[5] >= kMaxClass)
        return false;
    const std::vector<int>& asked = options.classes;
    return asked.empty() || std::count(asked.begin(), asked.end(), cvRound(row[5])) != 0;
}

std::vector<Detection> decodeEndToEnd(const cv::Mat& output, int image, const Letterbox& box,
                                      const DecodeOptions& options) {
    if (output.type() != CV_32F || output.size[2] != 6 || !output.isContinuous())
        CV_Error(cv::Error::StsBadArg,
                 "an end-to-end output is float32 [B, K, 6], this one is " + sizeText(output));
    std::vector<const float*> rows;
    for (int i = 0; i < output.size[1]; ++i)
        if (isWanted(output.ptr<float>(image, i), options))
            rows.push_back(output.ptr<float>(image, i));
    std::stable_sort(rows.begin(), rows.end(),
                     [](const float* a, const float* b) { return a[4] > b[4]; });
    if (rows.size() > static_cast<std::size_t>(options.max_detections))
        rows.resize(static_cast<std::size_t>(options.max_detections));
    std::vector<Detection> detections;
    for (const float* row : rows)
        add(detections, cvRound(row[5]), row[4], box.toSource(row[0], row[1], row[2], row[3]));
    return detections;
}

std::vector<Detection> decodeByKind(const cv::Mat& output, HeadKind head, const Letterbox& box,
                                    const DecodeOptions& options, int image) {
    switch (head) {
    case HeadKind::RawXyxy:
        return decodeXyxy(rawHead(output, image), box, options);
    case HeadKind::RawCxcywh:
        return decodeCxcywh(rawHead(output, image), box, options);
    case HeadKind::EndToEnd:
        return decodeEndToEnd(output, image, box, options);
    case HeadKind::None:
        break;
    }
    CV_Error(cv::Error::StsBadArg,
             "the output " + sizeText(output) + " is not of a known detector: nothing to decode");
}

} // namespace

std::vector<Detection> decode(const cv::Mat& output, HeadKind head, const Letterbox& box,
                              const DecodeOptions& options, int image) {
    checkImage(output, image);
    if (options.max_detections <= 0)
        return {};
    std::vector<Detection> detections = decodeByKind(output, head, box, options, image);
    // Heads that need NMS went through it.
    if (head != HeadKind::RawCxcywh && options.nms_iou > 0 && options.nms_iou < 1)
        return withoutDoubles(detections, options.nms_iou);
    return detections;
}

std::vector<Detection> decode(const cv::Mat& output, const ModelInfo& info, const Letterbox& box,
                              DecodeOptions options, int image) {
    if (options.nms_iou <= 0)
        options.nms_iou = info.nms_iou;
    return decode(output, info.head, box, options, image);
}

cv::Mat endToEnd(const cv::Mat& raw, int max_detections) {
    checkImage(raw, 0);
    const int keep = std::min(max_detections, raw.size[2]);
    if (keep <= 0)
        CV_Error(cv::Error::StsBadArg, "max_detections must be positive");
    const int sizes[] = {raw.size[0], keep, 6};
    cv::Mat result(3, sizes, CV_32F, cv::Scalar(0));
    for (int image = 0; image < raw.size[0]; ++image) {
        const RawHead head = rawHead(raw, image);
        const auto wanted = wantedClasses({}, head.classes);
        float* row = result.ptr<float>(image);
        for (const Candidate& c :
             rankPairs(head, wanted, std::numeric_limits<float>::lowest(), keep)) {
            for (int i = 0; i < 4; ++i)
                *row++ = head.row(i)[c.anchor];
            *row++ = c.score;
            *row++ = static_cast<float>(c.class_id);
        }
    }
    return result;
}

std::vector<Detection> detect(Model& model, const cv::Mat& bgr, const DecodeOptions& options) {
    if (model.info.head == HeadKind::None)
        CV_Error(cv::Error::StsBadArg, model.info.path + ": not a detector that Vigil knows");
    // A network with a fixed batch gets the same image in every place.
    const std::vector<cv::Mat> images(static_cast<std::size_t>(std::max(1, model.info.batch)), bgr);
    cv::Mat blob;
    const auto boxes = makeInput(model, images, blob);
    model.net.setInput(blob);
    return decode(forward(model).front(), model.info, boxes.front(), options);
}

} // namespace irmb
