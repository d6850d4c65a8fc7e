#include "cpu/irmb_cpu.hpp"

#include "cpu/attention_stage.hpp"
#include "cpu/bordered_maps.hpp"
#include "cpu/buffer_pool.hpp"
#include "cpu/local_stage.hpp"
#include "cpu/pointwise_stage.hpp"

#include <opencv2/core.hpp>

#include <limits>
#include <optional>

namespace irmb {

using namespace cpu;

namespace {

/// The weights that the stages do not copy, in memory of our own.
IrmbWeights ownNorm(const IrmbWeights& weights) {
    IrmbWeights own;
    own.norm_scale = weights.norm_scale.clone();
    own.norm_shift = weights.norm_shift.clone();
    return own;
}

/// Places in a plane are counted in int.
void requireIndexable(int height, int width, int border) {
    const double places = (height + 2. * border) * (width + 2. * border);
    if (places > std::numeric_limits<int>::max())
        CV_Error(cv::Error::StsOutOfRange,
                 cv::format("iRMB: a map of %dx%d has too many pixels", height, width));
}

} // namespace

struct IrmbCpu::Impl {
    Impl(const IrmbParams& p, const IrmbWeights& w) : params(p), norm(ownNorm(w)) {
        if (p.attention)
            attention.emplace(p, w);
        if (!p.attention || p.attn_pre)
            pointwise.emplace(p, w);
        if (p.part == Part::Block)
            local.emplace(p, w);
    }

    void forwardImage(const float* x, int height, int width, float* y, const cv::Size& out);
    void makeValues(const float* x, int height, int width, const MapView& values);

    IrmbParams params;
    IrmbWeights norm;
    std::optional<AttentionStage> attention;
    std::optional<PointwiseStage> pointwise;
    std::optional<LocalStage> local;
    BorderedMaps bordered;
    BufferPool maps;    ///< buffers of the size of a map
    BufferPool scratch; ///< buffers of tasks
};

/// Steps 1 and 2.
void IrmbCpu::Impl::makeValues(const float* x, int height, int width, const MapView& values) {
    const int pixels = height * width;
    const TokenSource source(x, pixels, params, norm);
    if (!params.attention) {
        pointwise->run(source, values, scratch);
    } else if (!params.attn_pre) {
        attention->run(source, values, scratch);
    } else {
        const int channels = attention->channels();
        BufferPool::Buffer memory = maps.borrow(static_cast<std::size_t>(channels) * pixels);
        attention->run(source, MapView::dense(memory.data(), channels, height, width), scratch);
        pointwise->run(TokenSource(memory.data(), channels, pixels), values, scratch);
    }
}

void IrmbCpu::Impl::forwardImage(const float* x, int height, int width, float* y,
                                 const cv::Size& out) {
    if (params.part == Part::Attention) {
        makeValues(x, height, width, MapView::dense(y, params.dim_mid, height, width));
        return;
    }
    const BorderedMaps::Map values =
        bordered.borrow(params.dim_mid, height, width, params.dwPadding());
    makeValues(x, height, width, values.view());
    local->run(values.view(), x, MapView::dense(y, params.dim_out, out.height, out.width), scratch);
}

IrmbCpu::IrmbCpu(const IrmbParams& params, const IrmbWeights& weights) {
    checkParams(params, "IrmbCpu");
    checkWeights(params, weights, "IrmbCpu");
    impl_ = std::make_unique<Impl>(params, weights);
}

IrmbCpu::~IrmbCpu() = default;

void IrmbCpu::forward(const cv::Mat& x, cv::Mat& y) const {
    const IrmbParams& p = impl_->params;
    CV_Assert(x.dims == 4 && x.type() == CV_32F && x.isContinuous() && x.size[1] == p.dim_in);
    const int height = x.size[2];
    const int width = x.size[3];
    const cv::Size out = outputSize(p, height, width);
    CV_Assert(y.dims == 4 && y.type() == CV_32F && y.isContinuous() && y.size[0] == x.size[0] &&
              y.size[1] == p.dim_out && y.size[2] == out.height && y.size[3] == out.width);
    requireIndexable(height, width, p.dwPadding());
    for (int image = 0; image < x.size[0]; ++image)
        impl_->forwardImage(x.ptr<float>(image), height, width, y.ptr<float>(image), out);
}

} // namespace irmb
