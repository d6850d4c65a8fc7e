#pragma once

#include <irmb_dnn/model.hpp>

#include <opencv2/core.hpp>

#include <vector>

namespace irmb {

/// One object in an image.
struct Detection {
    int class_id = 0;
    float score = 0.f; ///< 0..1
    cv::Rect2f box;    ///< pixels of the source image, clipped to it
};

/// How a source image lies in the network's input: resized by `scale` with its aspect ratio kept,
/// centred, the rest filled with grey 114. Rounding as in Ultralytics.
struct Letterbox {
    cv::Size source;   ///< pixels
    cv::Size input;    ///< pixels
    float scale = 1.f; ///< input pixels per source pixel
    cv::Size resized;  ///< the image inside the input
    int left = 0;      ///< input pixels of padding
    int top = 0;

    /// Computes the placement. Throws cv::Exception (StsBadArg) when either size is empty.
    static Letterbox fit(cv::Size source, cv::Size input);

    /// Corners in input pixels to a box in source pixels, clipped to the source.
    cv::Rect2f toSource(float x1, float y1, float x2, float y2) const;
};

/// Resizes and pads `bgr` (8-bit, 1, 3 or 4 channels) to `box.input`, 8-bit BGR.
void applyLetterbox(const cv::Mat& bgr, const Letterbox& box, cv::Mat& padded);

/// Letterboxes images into one float32 NCHW blob, RGB, 0..1. All images must be non-empty.
/// Returns one placement an image.
std::vector<Letterbox> makeBlob(const std::vector<cv::Mat>& bgr, cv::Size input, cv::Mat& blob);

/// Letterboxes images into what `model` takes: the blob of makeBlob(), or, with Model::byte_input,
/// 8-bit pixels [B, H, W, 3], BGR. All images must be non-empty. Returns one placement an image.
std::vector<Letterbox> makeInput(const Model& model, const std::vector<cv::Mat>& bgr,
                                 cv::Mat& blob);

struct DecodeOptions {
    float confidence = 0.25f; ///< detections below are left out
    int max_detections = 300; ///< best first
    std::vector<int> classes; ///< empty: all
    /// Boxes of one class that overlap by a higher IoU count as one object; 1: never. 0: as the
    /// head needs it, 0.45 for HeadKind::RawCxcywh and never for the others;
    /// ModelInfo::nms_iou comes first where it is known.
    float nms_iou = 0.f;
};

/// Turns one image's slice of the network output into detections, best first.
/// `output` is float32 [B, 4 + nc, N] or [B, K, 6] as `head` says; `image` selects b.
/// Rows with scores or boxes that are not finite are left out.
/// Throws cv::Exception (StsBadArg) when shape and head do not match.
std::vector<Detection> decode(const cv::Mat& output, HeadKind head, const Letterbox& box,
                              const DecodeOptions& options = {}, int image = 0);

/// The same for a model that was read: `info` knows the head, and, where the options leave it open,
/// from which overlap on boxes are one object.
std::vector<Detection> decode(const cv::Mat& output, const ModelInfo& info, const Letterbox& box,
                              DecodeOptions options = {}, int image = 0);

/// The NMS-free tail of YOLOv10 that readModel() cuts off: from [B, 4 + nc, N] to [B, K, 6] with
/// rows x1, y1, x2, y2 in input pixels, score, class; best first, K = min(max_detections, N).
cv::Mat endToEnd(const cv::Mat& raw, int max_detections = 300);

/// Letterbox, forward pass and decoding of one image in one call.
std::vector<Detection> detect(Model& model, const cv::Mat& bgr, const DecodeOptions& options = {});

} // namespace irmb
