#pragma once

#include <irmb_dnn/irmb_params.hpp>

namespace irmb {

/// The oracle of the tests: one obvious loop nest for each step, double accumulation.
/// `x` is float32 [B, C, H, W]; returns float32 [B, dim_out, Ho, Wo].
cv::Mat irmbReference(const IrmbParams& params, const IrmbWeights& weights, const cv::Mat& x);

} // namespace irmb
