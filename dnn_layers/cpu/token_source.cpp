#include "cpu/token_source.hpp"

#include "cpu/kernels.hpp"
#include "cpu/parallel.hpp"

#include <cmath>

namespace irmb::cpu {

TokenSource::TokenSource(const float* image, int channels, int pixels)
    : image_(image),
      pixels_(pixels),
      mean_(channels, 0.f),
      scale_(channels, 1.f),
      shift_(channels, 0.f) {}

TokenSource::TokenSource(const float* image, int pixels, const IrmbParams& params,
                         const IrmbWeights& weights)
    : TokenSource(image, params.dim_in, pixels) {
    if (params.norm == Norm::None)
        return;
    const float* scale = weights.norm_scale.ptr<float>();
    const float* shift = weights.norm_shift.ptr<float>();
    if (params.norm == Norm::Layer) {
        layer_norm_ = true;
        layer_eps_ = params.norm_eps;
        layer_scale_ = scale;
        layer_shift_ = shift;
        return;
    }
    if (params.norm == Norm::Instance)
        measure(params.dim_in, params.norm_eps);
    if (params.norm == Norm::Group)
        measure(params.norm_groups, params.norm_eps);
    for (int c = 0; c < params.dim_in; ++c) {
        scale_[c] *= scale[c];
        shift_[c] = shift[c];
    }
}

void TokenSource::measure(int groups, float eps) {
    const int size = channels() / groups;
    const double count = static_cast<double>(size) * pixels_;
    parallelFor(groups, [&](const cv::Range& range) {
        const Kernels& kernel = kernels();
        for (int group = range.start; group < range.end; ++group) {
            const float* plane = image_ + static_cast<std::ptrdiff_t>(group) * size * pixels_;
            double sum = 0.;
            for (int c = 0; c < size; ++c)
                sum += kernel.sum(plane + static_cast<std::ptrdiff_t>(c) * pixels_, pixels_);
            const auto mean = static_cast<float>(sum / count);
            double squares = 0.;
            for (int c = 0; c < size; ++c)
                squares +=
                    kernel.squares(plane + static_cast<std::ptrdiff_t>(c) * pixels_, pixels_, mean);
            const auto scale = static_cast<float>(1. / std::sqrt(squares / count + eps));
            for (int c = group * size; c < (group + 1) * size; ++c) {
                mean_[c] = mean;
                scale_[c] = scale;
            }
        }
    });
}

void TokenSource::read(const int* index, int first, int tokens, float* out,
                       std::ptrdiff_t ld) const {
    const Kernels& kernel = kernels();
    kernel.gather({image_ + first, pixels_, index, channels(), tokens, mean_.data(), scale_.data(),
                   shift_.data(), out, ld});
    if (layer_norm_)
        kernel.layerNorm({out, ld, channels(), tokens, layer_eps_, layer_scale_, layer_shift_});
}

} // namespace irmb::cpu
