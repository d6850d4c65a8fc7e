#include "cpu/local_stage.hpp"

#include "cpu/parallel.hpp"
#include "cpu/rounding.hpp"
#include "cpu/slopes.hpp"

#include <algorithm>

namespace irmb::cpu {
namespace {

/// Output pixels of a tile, about.
constexpr int tile_pixels = 384;

std::vector<float> floats(const cv::Mat& mat) {
    const float* first = mat.ptr<float>();
    return std::vector<float>(first, first + mat.total());
}

PackedMatrix packed(const cv::Mat& weights, const cv::Mat& bias, int rows, int cols) {
    PackedMatrix matrix(rows, cols);
    matrix.setRows(0, rows, weights.ptr<float>(), bias.empty() ? nullptr : bias.ptr<float>());
    return matrix;
}

} // namespace

/// A tile of the output: whole rows, or a part of one row.
struct LocalStage::Area {
    int y;
    int x;
    int rows;
    int cols;

    int pixels() const { return rows * cols; }
};

/// How a map is cut into tiles: into about equal ones and a multiple of four, where there are rows
/// enough, which threads can share. Their number is not asked for, so that sums do not depend on
/// it.
struct LocalStage::Tiling {
    explicit Tiling(const MapView& out) : height(out.height), width(out.width) {
        const int64_t pixels = static_cast<int64_t>(height) * width;
        const auto tiles = roundUp<int64_t>(ceilDivide<int64_t>(pixels, tile_pixels), 4);
        rows = static_cast<int>(ceilDivide<int64_t>(height, tiles));
        parts = ceilDivide(width, 2 * tile_pixels);
        count = ceilDivide(height, rows) * parts;
    }

    Area tile(int number) const {
        const int y = number / parts * rows;
        const int part = number % parts;
        const int begin = static_cast<int>(static_cast<int64_t>(width) * part / parts);
        const int end = static_cast<int>(static_cast<int64_t>(width) * (part + 1) / parts);
        return {y, begin, std::min(rows, height - y), end - begin};
    }

    int height;
    int width;
    int rows;  ///< of a tile
    int parts; ///< of a row
    int count; ///< of tiles
};

LocalStage::LocalStage(const IrmbParams& params, const IrmbWeights& weights)
    : params_(params),
      local_weight_(floats(weights.local_weight)),
      local_bias_(floats(weights.local_bias)),
      projection_(packed(weights.proj_weight, weights.proj_bias, params.dim_out, params.dim_mid)) {
    if (params.se_channels == 0)
        return;
    reduce_ = packed(weights.se_reduce_weight, weights.se_reduce_bias, params.se_channels,
                     params.dim_mid);
    expand_ = packed(weights.se_expand_weight, weights.se_expand_bias, params.dim_mid,
                     params.se_channels);
    slopes_ = slopesOf(weights.se_slope, params.se_channels);
}

void LocalStage::run(const MapView& y, const float* residual, const MapView& out,
                     BufferPool& pool) const {
    const std::vector<float> gate =
        params_.se_channels > 0 ? gates(y, out, pool) : std::vector<float>(params_.dim_mid, 1.f);
    const Tiling tiling(out);
    parallelFor(tiling.count, [&](const cv::Range& range) {
        for (int number = range.start; number < range.end; ++number)
            runArea(tiling.tile(number), y, gate, residual, out, pool);
    });
}

void LocalStage::convolve(int channel, float gate, bool add_centre, const MapView& y,
                          const Area& area, float* result) const {
    Depthwise d = {};
    d.size = params_.dw_ks;
    d.stride = params_.stride;
    d.dilation = params_.dilation;
    const float* corner = y.at(channel, 0, 0);
    d.in =
        corner + area.y * d.stride * y.row + area.x * d.stride - params_.dwPadding() * (y.row + 1);
    d.ld = y.row;
    d.weights = local_weight_.data() + static_cast<std::size_t>(channel) * d.size * d.size;
    d.bias = local_bias_[channel];
    d.rows = area.rows;
    d.cols = area.cols;
    d.gate = gate;
    d.centre = add_centre ? corner + area.y * y.row + area.x : nullptr;
    d.out = result;
    kernels().depthwise(d);
}

void LocalStage::runArea(const Area& area, const MapView& y, const std::vector<float>& gate,
                         const float* residual, const MapView& out, BufferPool& pool) const {
    const std::ptrdiff_t ld = leadingDimension(area.pixels());
    BufferPool::Buffer buffer = pool.borrow(static_cast<std::size_t>(params_.dim_mid) * ld);
    for (int c = 0; c < params_.dim_mid; ++c)
        convolve(c, gate[c], params_.has_skip, y, area, buffer.data() + c * ld);

    float* target = out.at(0, area.y, area.x);
    Gemm gemm = projection_.times(buffer.data(), ld, area.pixels(), target, out.plane);
    if (params_.has_skip) {
        gemm.residual = residual + (target - out.data);
        gemm.ldr = out.plane;
    }
    kernels().gemm(gemm);
}

std::vector<float> LocalStage::gates(const MapView& y, const MapView& out, BufferPool& pool) const {
    std::vector<float> mean(params_.dim_mid);
    const Tiling tiling(out);
    parallelFor(params_.dim_mid, [&](const cv::Range& range) {
        for (int c = range.start; c < range.end; ++c) {
            double sum = 0.;
            for (int number = 0; number < tiling.count; ++number) {
                const Area area = tiling.tile(number);
                BufferPool::Buffer buffer = pool.borrow(leadingDimension(area.pixels()));
                convolve(c, 1.f, false, y, area, buffer.data());
                sum += kernels().sum(buffer.data(), area.pixels());
            }
            mean[c] = static_cast<float>(sum / (static_cast<double>(out.height) * out.width));
        }
    });
    return excite(std::move(mean));
}

std::vector<float> LocalStage::excite(std::vector<float> mean) const {
    // One token; the kernels want room behind each row.
    const Kernels& kernel = kernels();
    const std::ptrdiff_t ld = kernel.lanes;
    std::vector<float> squeezed(params_.dim_mid * ld);
    std::vector<float> reduced(params_.se_channels * ld);
    std::vector<float> expanded(params_.dim_mid * ld);
    for (int c = 0; c < params_.dim_mid; ++c)
        squeezed[c * ld] = mean[c];
    kernel.gemm(reduce_.times(squeezed.data(), ld, 1, reduced.data(), ld));
    for (int c = 0; c < params_.se_channels; ++c)
        kernel.activate(params_.act, slopes_[c], &reduced[c * ld], 1);
    kernel.gemm(expand_.times(reduced.data(), ld, 1, expanded.data(), ld));
    for (int c = 0; c < params_.dim_mid; ++c) {
        kernel.activate(Activation::Sigmoid, 0.f, &expanded[c * ld], 1);
        mean[c] = expanded[c * ld];
    }
    return mean;
}

} // namespace irmb::cpu
