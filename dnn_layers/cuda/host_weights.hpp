#pragma once

#include "cuda/irmb_kernels.hpp"

#include <irmb_dnn/irmb_params.hpp>

namespace irmb::cuda {

/// The memory of `weights`, which must pass checkWeights() and outlive the result.
inline HostWeights hostWeights(const IrmbWeights& weights) {
    const auto data = [](const cv::Mat& mat) { return mat.empty() ? nullptr : mat.ptr<float>(); };
    HostWeights host;
    host.norm_scale = data(weights.norm_scale);
    host.norm_shift = data(weights.norm_shift);
    host.qk_weight = data(weights.qk_weight);
    host.qk_bias = data(weights.qk_bias);
    host.v_weight = data(weights.v_weight);
    host.v_bias = data(weights.v_bias);
    host.v_slope = data(weights.v_slope);
    host.local_weight = data(weights.local_weight);
    host.local_bias = data(weights.local_bias);
    host.se_reduce_weight = data(weights.se_reduce_weight);
    host.se_reduce_bias = data(weights.se_reduce_bias);
    host.se_slope = data(weights.se_slope);
    host.se_expand_weight = data(weights.se_expand_weight);
    host.se_expand_bias = data(weights.se_expand_bias);
    host.proj_weight = data(weights.proj_weight);
    host.proj_bias = data(weights.proj_bias);
    host.v_slope_is_single = weights.v_slope.total() == 1;
    host.se_slope_is_single = weights.se_slope.total() == 1;
    return host;
}

} // namespace irmb::cuda
