#include "irmb_samples.hpp"

#include "layer/node_attributes.hpp"

#include <algorithm>
#include <cmath>

namespace irmb::test {
namespace {

template <typename T>
T pick(std::initializer_list<T> choices, Random& random) {
    std::uniform_int_distribution<std::size_t> index(0, choices.size() - 1);
    return *(choices.begin() + index(random));
}

bool flip(Random& random) {
    return pick({false, true}, random);
}

void pickLocal(IrmbParams& p, Random& random) {
    p.dw_ks = pick({1, 3, 3, 5, 7, 4}, random);
    p.stride = pick({1, 1, 2, 3}, random);
    p.dilation = pick({1, 1, 2}, random);
    p.se_channels = pick({0, 0, 1, 6}, random);
    p.proj_bias = flip(random);
    p.has_skip = flip(random);
    p.dim_out = pick({p.dim_in, p.dim_in, 3, 20}, random);
    if (!p.has_skip)
        return;
    p.dim_out = p.dim_in;
    p.stride = 1;
    p.dilation = 1;
    p.dw_ks |= 1;
}

} // namespace

cv::Mat randomTensor(const std::vector<int>& shape, float mean, float deviation, Random& random) {
    cv::Mat tensor(static_cast<int>(shape.size()), shape.data(), CV_32F);
    std::normal_distribution<float> values(mean, deviation);
    std::generate_n(tensor.ptr<float>(), tensor.total(), [&] { return values(random); });
    return tensor;
}

IrmbWeights randomWeights(const IrmbParams& params, Random& random) {
    IrmbWeights weights;
    for (const WeightSlot& slot : weightSlots(params)) {
        const std::string name = slot.name;
        int fan_in = 1;
        for (std::size_t i = 1; i < slot.shape.size(); ++i)
            fan_in *= slot.shape[i];
        const bool is_matrix = slot.shape.size() > 1;
        const float gain = name == "qk_weight" ? 1.5f : 1.f;
        const float mean = name == "norm_scale" ? 1.f : 0.f;
        const float deviation = is_matrix ? gain / std::sqrt(static_cast<float>(fan_in)) : 0.3f;
        const bool single = slot.single && flip(random);
        weights.*slot.member =
            randomTensor(single ? std::vector<int>{1} : slot.shape, mean, deviation, random);
    }
    return weights;
}

IrmbParams randomParams(Random& random) {
    IrmbParams p;
    p.dim_head = pick({8, 8, 16, 4, 3, 11}, random);
    const int heads = pick({1, 2, 3, 6}, random);
    p.dim_in = heads * p.dim_head;
    p.dim_mid = heads * pick({p.dim_head, p.dim_head, 2 * p.dim_head, 1, 5}, random);
    p.norm = pick({Norm::Batch, Norm::Batch, Norm::None, Norm::Layer, Norm::Instance, Norm::Group},
                  random);
    p.norm_eps = pick({1e-6f, 1e-3f}, random);
    p.norm_groups = pick({1, heads, p.dim_in}, random);
    p.act = static_cast<Activation>(pick({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, random));
    p.attention = pick({true, true, true, false}, random);
    p.v_proj = flip(random);
    p.v_group = flip(random);
    p.attn_pre = flip(random);
    p.qk_bias = flip(random);
    p.v_bias = flip(random);
    p.window_size = pick({7, 7, 4, 1, 0, -1, 9}, random);
    if (!p.hasVConv())
        p.dim_mid = p.dim_in;
    p.part = p.attention ? pick({Part::Block, Part::Block, Part::Attention}, random) : Part::Block;
    if (p.part == Part::Attention)
        p.dim_out = p.dim_mid;
    else
        pickLocal(p, random);
    return p;
}

std::string describe(const IrmbParams& params) {
    const NodeAttributes a = toAttributes(params);
    std::string text = "C=" + std::to_string(params.dim_in);
    for (const auto& [name, value] : a.strings)
        text += " " + name + "=" + value;
    for (const auto& [name, value] : a.ints)
        text += " " + name + "=" + std::to_string(value);
    return text;
}

double maxDifference(const cv::Mat& a, const cv::Mat& b) {
    return cv::norm(a.reshape(1, 1), b.reshape(1, 1), cv::NORM_INF);
}

double tolerance(const cv::Mat& expected) {
    return 2e-5 * std::max(1., cv::norm(expected.reshape(1, 1), cv::NORM_INF));
}

} // namespace irmb::test
