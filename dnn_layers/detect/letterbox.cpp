#include "planes.hpp"

#include <irmb_dnn/detection.hpp>

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace irmb {
namespace {

constexpr double kGrey = 114;

// Ultralytics rounds as Python does, halves to the even neighbour; so does cvRound().
int sideAfter(int side, double scale) {
    return std::max(1, cvRound(side * scale));
}

// With an odd amount of padding the smaller half comes first.
int firstHalf(int padding) {
    return cvRound(padding / 2.0 - 0.1);
}

void fillBorder(cv::Mat& padded, const cv::Rect& inner) {
    const cv::Scalar grey = cv::Scalar::all(kGrey);
    padded.rowRange(0, inner.y).setTo(grey);
    padded.rowRange(inner.br().y, padded.rows).setTo(grey);
    padded(cv::Rect(0, inner.y, inner.x, inner.height)).setTo(grey);
    padded(cv::Rect(inner.br().x, inner.y, padded.cols - inner.br().x, inner.height)).setTo(grey);
}

std::vector<Letterbox> fitAll(const std::vector<cv::Mat>& bgr, cv::Size input) {
    if (bgr.empty())
        CV_Error(cv::Error::StsBadArg, "no image to make a blob of");
    std::vector<Letterbox> boxes;
    for (const cv::Mat& image : bgr)
        boxes.push_back(Letterbox::fit(image.size(), input));
    return boxes;
}

} // namespace

void toPlanes(const cv::Mat& bgr, float* planes) {
    std::vector<cv::Mat> channels;
    cv::split(bgr, channels);
    const std::size_t area = bgr.total();
    for (int plane = 0; plane < 3; ++plane) {
        const uint8_t* source = channels[static_cast<std::size_t>(2 - plane)].ptr<uint8_t>();
        float* target = planes + static_cast<std::size_t>(plane) * area;
        for (std::size_t i = 0; i < area; ++i)
            target[i] = static_cast<float>(source[i]) / 255.f;
    }
}

Letterbox Letterbox::fit(cv::Size source, cv::Size input) {
    if (source.width <= 0 || source.height <= 0 || input.width <= 0 || input.height <= 0)
        CV_Error(cv::Error::StsBadArg, "cannot fit an image of " + std::to_string(source.width) +
                                           "x" + std::to_string(source.height) + " into " +
                                           std::to_string(input.width) + "x" +
                                           std::to_string(input.height));
    const double scale = std::min(static_cast<double>(input.height) / source.height,
                                  static_cast<double>(input.width) / source.width);
    Letterbox box;
    box.source = source;
    box.input = input;
    box.scale = static_cast<float>(scale);
    box.resized = {std::min(sideAfter(source.width, scale), input.width),
                   std::min(sideAfter(source.height, scale), input.height)};
    box.left = firstHalf(input.width - box.resized.width);
    box.top = firstHalf(input.height - box.resized.height);
    return box;
}

cv::Rect2f Letterbox::toSource(float x1, float y1, float x2, float y2) const {
    const auto along = [this](float position, int padding, int side) {
        return std::clamp((position - static_cast<float>(padding)) / scale, 0.f,
                          static_cast<float>(side));
    };
    const cv::Point2f first(along(x1, left, source.width), along(y1, top, source.height));
    const cv::Point2f last(along(x2, left, source.width), along(y2, top, source.height));
    return {first.x, first.y, last.x - first.x, last.y - first.y};
}

void applyLetterbox(const cv::Mat& bgr, const Letterbox& box, cv::Mat& padded) {
    if (bgr.size() != box.source || bgr.depth() != CV_8U)
        CV_Error(cv::Error::StsBadArg,
                 "the image must be 8-bit and of the letterbox's source size");
    padded.create(box.input, CV_8UC3);
    const cv::Rect inner(cv::Point(box.left, box.top), box.resized);
    fillBorder(padded, inner);
    cv::Mat target = padded(inner);
    if (bgr.channels() == 3)
        return cv::resize(bgr, target, box.resized, 0, 0, cv::INTER_LINEAR);
    if (bgr.channels() != 1 && bgr.channels() != 4)
        CV_Error(cv::Error::StsBadArg, "an image with " + std::to_string(bgr.channels()) +
                                           " channels is neither grey, BGR nor BGRA");
    cv::Mat resized;
    cv::resize(bgr, resized, box.resized, 0, 0, cv::INTER_LINEAR);
    cv::cvtColor(resized, target, bgr.channels() == 1 ? cv::COLOR_GRAY2BGR : cv::COLOR_BGRA2BGR);
}

std::vector<Letterbox> makeBlob(const std::vector<cv::Mat>& bgr, cv::Size input, cv::Mat& blob) {
    const int sizes[] = {static_cast<int>(bgr.size()), 3, input.height, input.width};
    const std::vector<Letterbox> boxes = fitAll(bgr, input);
    blob.create(4, sizes, CV_32F);
    cv::Mat padded;
    for (std::size_t i = 0; i < bgr.size(); ++i) {
        applyLetterbox(bgr[i], boxes[i], padded);
        toPlanes(padded, blob.ptr<float>(static_cast<int>(i)));
    }
    return boxes;
}

std::vector<Letterbox> makeInput(const Model& model, const std::vector<cv::Mat>& bgr,
                                 cv::Mat& blob) {
    const cv::Size input = model.info.input_size;
    if (!model.byte_input)
        return makeBlob(bgr, input, blob);
    const int sizes[] = {static_cast<int>(bgr.size()), input.height, input.width, 3};
    const std::vector<Letterbox> boxes = fitAll(bgr, input);
    blob.create(4, sizes, CV_8U);
    for (std::size_t i = 0; i < bgr.size(); ++i) {
        cv::Mat padded(input, CV_8UC3, blob.ptr<uint8_t>(static_cast<int>(i)));
        applyLetterbox(bgr[i], boxes[i], padded);
    }
    return boxes;
}

} // namespace irmb
