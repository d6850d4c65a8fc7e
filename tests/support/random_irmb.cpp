#include "random_irmb.hpp"

#include <cmath>
#include <layer/node_attributes.hpp>

namespace irmb::test {
namespace {

template <typename T, std::size_t N>
T oneOf(cv::RNG& rng, const T (&choices)[N]) {
    return choices[rng.uniform(0, static_cast<int>(N))];
}

bool coin(cv::RNG& rng, double probability = 0.5) {
    return rng.uniform(0.0, 1.0) < probability;
}

void chooseAttention(IrmbParams& p, cv::RNG& rng) {
    p.attention = coin(rng, 0.85);
    if (!p.attention) {
        p.v_proj = coin(rng, 0.8);
        if (!p.v_proj)
            p.dim_mid = p.dim_in;
        return;
    }
    p.v_group = coin(rng, 0.3);
    p.attn_pre = coin(rng, 0.3);
    p.qk_bias = coin(rng);
    p.window_size = oneOf(rng, {7, 7, 5, 3, 1, 0, -1, 20});
}

void chooseLocalBranch(IrmbParams& p, cv::RNG& rng) {
    p.dw_ks = oneOf(rng, {1, 3, 3, 5, 7});
    p.se_channels = coin(rng, 0.3) ? 4 : 0;
    p.proj_bias = coin(rng);
    p.has_skip = coin(rng, 0.7);
    if (p.has_skip)
        return;
    p.dim_out = oneOf(rng, {8, 16, 24});
    p.stride = oneOf(rng, {1, 2});
    p.dilation = p.dw_ks <= 3 ? oneOf(rng, {1, 1, 2}) : 1;
}

} // namespace

IrmbParams randomParams(cv::RNG& rng) {
    IrmbParams p;
    p.dim_head = oneOf(rng, {4, 8, 16});
    p.dim_in = p.dim_head * oneOf(rng, {1, 2, 3});
    p.dim_mid = p.dim_in * oneOf(rng, {1, 1, 2});
    p.dim_out = p.dim_in;
    p.norm = oneOf(
        rng, {Norm::None, Norm::Batch, Norm::Batch, Norm::Layer, Norm::Instance, Norm::Group});
    p.norm_groups = p.norm == Norm::Group ? 2 : 1;
    p.act =
        oneOf(rng, {Activation::None, Activation::Relu, Activation::Relu6, Activation::Silu,
                    Activation::Gelu, Activation::HardSwish, Activation::HardSigmoid,
                    Activation::Sigmoid, Activation::Tanh, Activation::Mish, Activation::Prelu});
    chooseAttention(p, rng);
    p.v_bias = (p.attention || p.v_proj) && coin(rng);
    chooseLocalBranch(p, rng);
    return p;
}

IrmbWeights randomWeights(const IrmbParams& params, cv::RNG& rng) {
    IrmbWeights weights;
    for (const WeightSlot& slot : weightSlots(params)) {
        cv::Mat mat(slot.shape, CV_32F);
        const double fan_in =
            static_cast<double>(mat.total()) / std::max(1, slot.shape.empty() ? 1 : slot.shape[0]);
        rng.fill(mat, cv::RNG::NORMAL, slot.shape.size() == 1 ? 0.2 : 0.0,
                 slot.shape.size() == 1 ? 0.3 : 1.0 / std::sqrt(fan_in));
        weights.*slot.member = mat;
    }
    return weights;
}

cv::Mat randomMap(const std::vector<int>& shape, cv::RNG& rng) {
    cv::Mat map(shape, CV_32F);
    rng.fill(map, cv::RNG::UNIFORM, -1.0, 1.0);
    return map;
}

std::string describe(const IrmbParams& params) {
    const NodeAttributes attributes = toAttributes(params);
    std::string text = "C=" + std::to_string(params.dim_in);
    for (const auto& [key, value] : attributes.strings)
        text += " " + key + "=" + value;
    for (const auto& [key, value] : attributes.ints)
        text += " " + key + "=" + std::to_string(value);
    return text;
}

} // namespace irmb::test
