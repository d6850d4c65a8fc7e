#include "random_irmb.hpp"

#include <algorithm>
#include <cmath>
#include <layer/node_attributes.hpp>
#include <limits>

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

void chooseAnyLocalBranch(IrmbParams& p, cv::RNG& rng) {
    p.dw_ks = oneOf(rng, {1, 3, 3, 5, 7});
    p.se_channels = oneOf(rng, {0, 0, 1, 6});
    p.proj_bias = coin(rng);
    p.has_skip = coin(rng);
    p.dim_out = p.dim_in;
    if (p.has_skip)
        return;
    p.dim_out = oneOf(rng, {3, 16, 20});
    p.dw_ks = oneOf(rng, {p.dw_ks, p.dw_ks, 2, 4});
    p.stride = oneOf(rng, {1, 1, 2, 3});
    p.dilation = oneOf(rng, {1, 1, 2});
}

cv::Mat flat(const cv::Mat& tensor) {
    return tensor.reshape(1, std::vector<int>{1, static_cast<int>(tensor.total())});
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

IrmbParams anyParams(cv::RNG& rng) {
    IrmbParams p;
    const int heads = oneOf(rng, {1, 2, 3, 6});
    p.dim_head = oneOf(rng, {8, 8, 16, 4, 3, 11});
    p.dim_in = heads * p.dim_head;
    p.dim_mid = heads * oneOf(rng, {p.dim_head, p.dim_head, 2 * p.dim_head, 1, 5});
    p.norm = oneOf(
        rng, {Norm::None, Norm::Batch, Norm::Batch, Norm::Layer, Norm::Instance, Norm::Group});
    p.norm_eps = oneOf(rng, {1e-6f, 1e-3f});
    p.norm_groups = oneOf(rng, {1, heads, p.dim_in});
    p.act = static_cast<Activation>(rng.uniform(0, static_cast<int>(Activation::Prelu) + 1));
    p.v_bias = coin(rng);
    chooseAttention(p, rng);
    if (p.attention && coin(rng, 0.2))
        p.part = Part::Attention;
    p.dim_out = p.dim_mid;
    if (p.part == Part::Block)
        chooseAnyLocalBranch(p, rng);
    return p;
}

IrmbParams defaultParams(int channels) {
    IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = channels;
    params.act = Activation::Silu;
    return params;
}

bool fits(const IrmbParams& params, int height, int width) {
    try {
        outputSize(params, height, width);
        return true;
    } catch (const cv::Exception&) {
        return false;
    }
}

IrmbWeights randomWeights(const IrmbParams& params, cv::RNG& rng) {
    IrmbWeights weights;
    for (const WeightSlot& slot : weightSlots(params)) {
        const std::string name = slot.name;
        const bool single = slot.single && coin(rng);
        cv::Mat mat(single ? std::vector<int>{1} : slot.shape, CV_32F);
        const double fan_in = static_cast<double>(mat.total()) / mat.size[0];
        const bool vector = slot.shape.size() == 1;
        const double gain = name == "qk_weight" ? 1.5 : 1.0;
        const double mean = name == "norm_scale" ? 1.0 : vector ? 0.2 : 0.0;
        rng.fill(mat, cv::RNG::NORMAL, mean, vector ? 0.3 : gain / std::sqrt(fan_in));
        weights.*slot.member = mat;
    }
    return weights;
}

cv::Mat randomMap(const std::vector<int>& shape, cv::RNG& rng) {
    cv::Mat map(shape, CV_32F);
    rng.fill(map, cv::RNG::UNIFORM, -1.0, 1.0);
    return map;
}

double maxDifference(const cv::Mat& a, const cv::Mat& b) {
    // cv::norm passes over what is not a number.
    if (a.total() != b.total() || !cv::checkRange(flat(a)) || !cv::checkRange(flat(b)))
        return std::numeric_limits<double>::infinity();
    return a.empty() ? 0.0 : cv::norm(flat(a), flat(b), cv::NORM_INF);
}

double tolerance(const cv::Mat& expected) {
    return 2e-5 * std::max(1.0, cv::norm(flat(expected), cv::NORM_INF));
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
