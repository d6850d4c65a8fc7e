#include "cuda/prepare.hpp"

#include "cuda/layout.hpp"

#include <cmath>

namespace irmb::cuda {
namespace {

/// Channels in heads of `size` that are padded to `padded`.
struct HeadLayout {
    int size;
    int padded;

    int operator()(int channel) const { return channel / size * padded + channel % size; }
};

Matrix makeMatrix(int outputs, int depth) {
    Matrix matrix;
    matrix.outputs = roundUp(outputs, 8);
    matrix.depth = roundUp(depth, 16);
    matrix.weights.assign(static_cast<std::size_t>(matrix.outputs) * matrix.depth, 0.f);
    matrix.bias.assign(matrix.outputs, 0.f);
    matrix.slope.assign(matrix.outputs, 0.f);
    return matrix;
}

float& weightOf(Matrix& matrix, int output, int input) {
    return matrix.weights[static_cast<std::size_t>(output) * matrix.depth + input];
}

float slopeOf(const float* slopes, bool single, int channel) {
    return slopes ? slopes[single ? 0 : channel] : 0.f;
}

/// Which layer's row `row` becomes output `output`: weights [rows][count], of inputs that lie at
/// place(first), place(first + 1), ...
struct Row {
    const float* weights;
    const float* bias;
    int row;
    int count;
    int first = 0;
    float scale = 1.f;
};

template <typename Place>
void setRow(Matrix& matrix, int output, const Row& from, Place&& place) {
    for (int i = 0; i < from.count; ++i)
        weightOf(matrix, output, place(from.first + i)) =
            from.weights[static_cast<std::size_t>(from.row) * from.count + i] * from.scale;
    if (from.bias)
        matrix.bias[output] = from.bias[from.row] * from.scale;
}

int unchanged(int channel) {
    return channel;
}

/// Output `output` is row `row` of v's convolution, of inputs that lie at `place`.
template <typename Place>
void setValueRow(const IrmbParams& p, const HostWeights& w, Matrix& matrix, int output, int row,
                 Place&& place) {
    const int group_inputs = p.dim_in / p.vGroups();
    const int group = row / (p.dim_mid / p.vGroups());
    setRow(matrix, output, {w.v_weight, w.v_bias, row, group_inputs, group * group_inputs}, place);
    matrix.slope[output] = slopeOf(w.v_slope, w.v_slope_is_single, row);
}

Matrix prepareQkv(const IrmbParams& p, const HostWeights& w, const Prepared& sizes) {
    const int c = p.dim_in;
    const auto scale = static_cast<float>(1.4426950408889634 / std::sqrt(p.dim_head));
    Matrix qkv = makeMatrix(p.heads() * (2 * sizes.head_q + sizes.head_v), c);
    int output = 0;
    for (int head = 0; head < p.heads(); ++head) {
        for (int d = 0; d < p.dim_head; ++d) {
            const int row = head * p.dim_head + d;
            setRow(qkv, output + d, {w.qk_weight, w.qk_bias, row, c, 0, scale}, unchanged);
            setRow(qkv, output + sizes.head_q + d, {w.qk_weight, w.qk_bias, c + row, c}, unchanged);
        }
        output += 2 * sizes.head_q;
        for (int d = 0; d < sizes.head_value; ++d) {
            const int row = head * sizes.head_value + d;
            if (p.attn_pre)
                weightOf(qkv, output + d, row) = 1.f;
            else
                setValueRow(p, w, qkv, output + d, row, unchanged);
        }
        output += sizes.head_v;
    }
    return qkv;
}

Matrix prepareV(const IrmbParams& p, const HostWeights& w, const HeadLayout& inputs) {
    Matrix v = makeMatrix(p.dim_mid, inputs(p.dim_in - 1) + 1);
    for (int row = 0; row < p.dim_mid; ++row)
        if (p.hasVConv())
            setValueRow(p, w, v, row, row, inputs);
        else
            weightOf(v, row, row) = 1.f;
    return v;
}

void prepareLocal(const IrmbParams& p, const HostWeights& w, const HeadLayout& mid, Prepared& to) {
    const int taps = p.dw_ks * p.dw_ks;
    to.local_weights.assign(static_cast<std::size_t>(taps) * to.mid, 0.f);
    to.local_bias.assign(to.mid, 0.f);
    for (int m = 0; m < p.dim_mid; ++m) {
        to.local_bias[mid(m)] = w.local_bias[m];
        for (int tap = 0; tap < taps; ++tap)
            to.local_weights[static_cast<std::size_t>(tap) * to.mid + mid(m)] =
                w.local_weight[static_cast<std::size_t>(m) * taps + tap];
    }
}

void prepareSqueeze(const IrmbParams& p, const HostWeights& w, const HeadLayout& mid,
                    Prepared& to) {
    const std::size_t size = static_cast<std::size_t>(p.se_channels) * to.mid;
    to.se_reduce_weights.assign(size, 0.f);
    to.se_expand_weights.assign(size, 0.f);
    to.se_expand_bias.assign(to.mid, 0.f);
    to.se_reduce_bias.assign(w.se_reduce_bias, w.se_reduce_bias + p.se_channels);
    for (int r = 0; r < p.se_channels; ++r)
        to.se_slope.push_back(slopeOf(w.se_slope, w.se_slope_is_single, r));
    for (int m = 0; m < p.dim_mid; ++m) {
        to.se_expand_bias[mid(m)] = w.se_expand_bias[m];
        for (int r = 0; r < p.se_channels; ++r) {
            const std::size_t at = static_cast<std::size_t>(r) * to.mid + mid(m);
            to.se_reduce_weights[at] =
                w.se_reduce_weight[static_cast<std::size_t>(r) * p.dim_mid + m];
            to.se_expand_weights[at] =
                w.se_expand_weight[static_cast<std::size_t>(m) * p.se_channels + r];
        }
    }
}

} // namespace

Prepared prepare(const IrmbParams& p, const HostWeights& w) {
    Prepared to;
    if (p.norm != Norm::None) {
        to.norm_mean.assign(p.dim_in, 0.f);
        to.norm_scale.assign(w.norm_scale, w.norm_scale + p.dim_in);
        to.norm_shift.assign(w.norm_shift, w.norm_shift + p.dim_in);
    }
    HeadLayout mid = {p.dim_mid, roundUp(p.dim_mid, 8)};
    HeadLayout v_inputs = {p.dim_in, p.dim_in};
    if (p.attention) {
        to.head_q = roundUp(p.dim_head, 8);
        to.head_value = p.attn_pre ? p.dim_head : p.dim_mid / p.heads();
        to.head_v = roundUp(to.head_value, 8);
        to.qkv = prepareQkv(p, w, to);
        const HeadLayout context = {to.head_value, to.head_v};
        (p.attn_pre ? v_inputs : mid) = context;
    }
    if (!p.attention || p.attn_pre)
        to.v = prepareV(p, w, v_inputs);
    if (p.part == Part::Attention)
        return to;
    to.mid = p.dim_mid / mid.size * mid.padded;
    prepareLocal(p, w, mid, to);
    if (p.se_channels > 0)
        prepareSqueeze(p, w, mid, to);
    to.proj = makeMatrix(p.dim_out, to.mid);
    for (int o = 0; o < p.dim_out; ++o)
        setRow(to.proj, o, {w.proj_weight, w.proj_bias, o, p.dim_mid}, mid);
    return to;
}

} // namespace irmb::cuda
