#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <memory>

namespace irmb {

/// Fused iRMB on the CPU. Packs the weights once; forward() may then be called from any number of
/// threads at a time. Scratch memory depends on the size of a window, not on their number.
class IrmbCpu {
public:
    IrmbCpu(const IrmbParams& params, const IrmbWeights& weights);
    ~IrmbCpu();

    /// `x`: float32 [B, C, H, W], `y`: float32 [B, dim_out, Ho, Wo], allocated; both continuous.
    void forward(const cv::Mat& x, cv::Mat& y) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace irmb
