#pragma once

#include <irmb_dnn/irmb_types.hpp>

#include <opencv2/core/mat.hpp>

#include <string>

namespace irmb {

/// Weights of one iRMB, float32, continuous. What the parameters do not call for stays empty.
/// Shapes are logical: a trailing [.., 1, 1] or a column [N, 1] is accepted as well.
struct IrmbWeights {
    cv::Mat norm_scale;       ///< [C]
    cv::Mat norm_shift;       ///< [C]
    cv::Mat qk_weight;        ///< [2C, C]; rows 0..C-1 give q, head-major, then k
    cv::Mat qk_bias;          ///< [2C]
    cv::Mat v_weight;         ///< [M, C / groups]; rows head-major
    cv::Mat v_bias;           ///< [M]
    cv::Mat v_slope;          ///< [1] or [M], Activation::Prelu
    cv::Mat local_weight;     ///< [M, dw_ks, dw_ks], batch norm folded in
    cv::Mat local_bias;       ///< [M]
    cv::Mat se_reduce_weight; ///< [R, M]
    cv::Mat se_reduce_bias;   ///< [R]
    cv::Mat se_slope;         ///< [1] or [R], Activation::Prelu
    cv::Mat se_expand_weight; ///< [M, R]
    cv::Mat se_expand_bias;   ///< [M]
    cv::Mat proj_weight;      ///< [dim_out, M]
    cv::Mat proj_bias;        ///< [dim_out]
};

/// Throws cv::Exception (StsBadArg) that names `layer`, the parameter and its value when parameters
/// are unsupported or contradict each other.
void checkParams(const IrmbParams& params, const std::string& layer);

/// Throws cv::Exception (StsBadArg) that names `layer`, the tensor, its size and the size that the
/// parameters call for, when a weight is missing, superfluous, not float32 or of another size.
void checkWeights(const IrmbParams& params, const IrmbWeights& weights, const std::string& layer);

/// Height and width of the output for an input of `height` x `width`.
cv::Size outputSize(const IrmbParams& params, int height, int width);

} // namespace irmb
