#include "cpu/pointwise_stage.hpp"

#include "cpu/parallel.hpp"
#include "cpu/slopes.hpp"

#include <algorithm>

namespace irmb::cpu {

PointwiseStage::PointwiseStage(const IrmbParams& params, const IrmbWeights& weights)
    : params_(params), slopes_(slopesOf(weights.v_slope, params.dim_mid)) {
    if (!params.hasVConv())
        return;
    const int groups = params.vGroups();
    const int rows = params.dim_mid / groups;
    const int cols = params.dim_in / groups;
    for (int group = 0; group < groups; ++group) {
        const float* bias = params.v_bias ? weights.v_bias.ptr<float>() + group * rows : nullptr;
        PackedMatrix matrix(rows, cols);
        matrix.setRows(
            0, rows, weights.v_weight.ptr<float>() + static_cast<std::size_t>(group) * rows * cols,
            bias);
        v_.push_back(std::move(matrix));
    }
}

void PointwiseStage::run(const TokenSource& x, const MapView& out, BufferPool& pool) const {
    parallelFor(out.height, [&](const cv::Range& range) {
        const std::size_t rows = std::size_t{1} * params_.dim_in + params_.dim_mid;
        BufferPool::Buffer buffer = pool.borrow(rows * leadingDimension(out.width));
        for (int y = range.start; y < range.end; ++y)
            runRow(y, x, out, buffer.data());
    });
}

void PointwiseStage::runRow(int y, const TokenSource& x, const MapView& out, float* scratch) const {
    const Kernels& kernel = kernels();
    const std::ptrdiff_t ld = leadingDimension(out.width);
    float* tokens = scratch;
    float* values = v_.empty() ? tokens : tokens + params_.dim_in * ld;
    x.read(nullptr, y * out.width, out.width, tokens, ld);
    const int rows = params_.dim_mid / params_.vGroups();
    const int cols = params_.dim_in / params_.vGroups();
    for (std::size_t group = 0; group < v_.size(); ++group)
        kernel.gemm(v_[group].times(tokens + group * cols * ld, ld, out.width,
                                    values + group * rows * ld, ld));
    for (int c = 0; c < params_.dim_mid; ++c) {
        float* row = values + c * ld;
        if (!v_.empty())
            kernel.activate(params_.act, slopes_[c], row, out.width);
        std::copy_n(row, out.width, out.at(c, y, 0));
    }
}

} // namespace irmb::cpu
