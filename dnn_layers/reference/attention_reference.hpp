#pragma once

#include <opencv2/core/mat.hpp>

namespace irmb {

/// The oracle for attention among all pixels of a map, as in YOLOv10's PSA: obvious loops, double
/// accumulation. `x` is float32 [B, heads * (2 * dim_key + dim_value), H, W] with q, k and v of
/// each head. Returns softmax(q^T k * scale) v, float32 [B, heads * dim_value, H, W].
cv::Mat attentionReference(const cv::Mat& x, int heads, int dim_key, int dim_value, float scale);

/// v alone, as a map of the same shape.
cv::Mat attentionValues(const cv::Mat& x, int heads, int dim_key, int dim_value);

} // namespace irmb
