#pragma once

#include "onnx/graph_view.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <opencv2/core/mat.hpp>

namespace irmb::onnx {

/// A normalisation with the tensor it is applied to.
struct NormMatch {
    Norm norm = Norm::None;
    float eps = 0;
    int groups = 1;
    cv::Mat scale;      ///< float32 [C]
    cv::Mat shift;      ///< float32 [C]
    std::string source; ///< [B, C, H, W]
};

/// Finds the normalisation that makes `tensor`: batch norm (or its scale and shift), layer norm
/// over the channels, instance norm, group norm; as one operator or decomposed. `channel_last`:
/// `tensor` is [B, H, W, C], as layer norm leaves it before the final transposition; the source is
/// [B, C, H, W] all the same. Norm::None with `tensor` as source when there is none. Empty for
/// `channel_last` when it is not a layer norm.
std::optional<NormMatch> matchNorm(const GraphView& view, const std::string& tensor,
                                   bool channel_last);

} // namespace irmb::onnx
