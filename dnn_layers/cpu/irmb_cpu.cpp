#include "cpu/irmb_cpu.hpp"

#include "reference/irmb_reference.hpp"

#include <opencv2/core.hpp>

namespace irmb {

struct IrmbCpu::Impl {
    IrmbParams params;
    IrmbWeights weights;
};

IrmbCpu::IrmbCpu(const IrmbParams& params, const IrmbWeights& weights)
    : impl_(new Impl{params, weights}) {}

IrmbCpu::~IrmbCpu() = default;

void IrmbCpu::forward(const cv::Mat& x, cv::Mat& y) const {
    irmbReference(impl_->params, impl_->weights, x).copyTo(y);
}

} // namespace irmb
