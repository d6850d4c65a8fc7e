#include "layer/node_attributes.hpp"

#include <opencv2/core.hpp>

#include <array>

namespace irmb {
namespace {

template <typename Enum>
struct Named {
    Enum value;
    const char* name;
};

constexpr std::array<Named<Norm>, 5> norm_names{{{Norm::None, "none"},
                                                 {Norm::Batch, "bn_2d"},
                                                 {Norm::Layer, "ln_2d"},
                                                 {Norm::Instance, "in_2d"},
                                                 {Norm::Group, "gn"}}};

constexpr std::array<Named<Activation>, 11> act_names{{{Activation::None, "none"},
                                                       {Activation::Relu, "relu"},
                                                       {Activation::Relu6, "relu6"},
                                                       {Activation::Silu, "silu"},
                                                       {Activation::Gelu, "gelu"},
                                                       {Activation::HardSwish, "hswish"},
                                                       {Activation::HardSigmoid, "hsigmoid"},
                                                       {Activation::Sigmoid, "sigmoid"},
                                                       {Activation::Tanh, "tanh"},
                                                       {Activation::Mish, "mish"},
                                                       {Activation::Prelu, "prelu"}}};

constexpr std::array<Named<Part>, 2> part_names{
    {{Part::Block, "block"}, {Part::Attention, "attention"}}};

template <typename Table, typename Enum>
const char* nameOf(const Table& table, Enum value) {
    for (const auto& entry : table)
        if (entry.value == value)
            return entry.name;
    return "unknown";
}

template <typename Enum, std::size_t N>
Enum valueOf(const std::array<Named<Enum>, N>& table, const std::string& text,
             const std::string& layer, const char* parameter) {
    std::string choices;
    for (const auto& entry : table) {
        if (text == entry.name)
            return entry.value;
        choices += (choices.empty() ? "" : ", ") + std::string(entry.name);
    }
    CV_Error(cv::Error::StsBadArg, "iRMB '" + layer + "': " + parameter + "='" + text +
                                       "' is not supported; choose one of " + choices);
}

/// Takes attributes out of a node one by one, so that what is left over at the end is unknown.
class Reader {
public:
    Reader(const NodeAttributes& attributes, const std::string& layer)
        : rest_(attributes), layer_(layer) {}

    int integer(const char* name, int fallback) {
        const auto it = rest_.ints.find(name);
        if (it == rest_.ints.end())
            return fallback;
        const int64_t value = it->second;
        if (value < INT32_MIN || value > INT32_MAX)
            fail(std::string(name) + "=" + std::to_string(value) + " does not fit into 32 bits");
        rest_.ints.erase(it);
        return static_cast<int>(value);
    }

    bool flag(const char* name, bool fallback) {
        const int value = integer(name, fallback);
        if (value != 0 && value != 1)
            fail(std::string(name) + "=" + std::to_string(value) + " must be 0 or 1");
        return value == 1;
    }

    float real(const char* name, float fallback) {
        const auto it = rest_.floats.find(name);
        if (it == rest_.floats.end())
            return fallback;
        const float value = it->second;
        rest_.floats.erase(it);
        return value;
    }

    std::string string(const char* name, const char* fallback) {
        const auto it = rest_.strings.find(name);
        if (it == rest_.strings.end())
            return fallback;
        std::string value = it->second;
        rest_.strings.erase(it);
        return value;
    }

    void finish() const {
        for (const auto& [name, value] : rest_.ints)
            failLeftOver(name, std::to_string(value));
        for (const auto& [name, value] : rest_.floats)
            failLeftOver(name, std::to_string(value));
        for (const auto& [name, value] : rest_.strings)
            failLeftOver(name, "'" + value + "'");
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        CV_Error(cv::Error::StsBadArg, "iRMB '" + layer_ + "': " + what);
    }

    [[noreturn]] void failLeftOver(const std::string& name, const std::string& value) const {
        fail(name + "=" + value + ": unknown attribute, or of another type than specified");
    }

    NodeAttributes rest_;
    const std::string& layer_;
};

} // namespace

const char* toString(Norm norm) {
    return nameOf(norm_names, norm);
}
const char* toString(Activation act) {
    return nameOf(act_names, act);
}
const char* toString(Part part) {
    return nameOf(part_names, part);
}

Norm normFromString(const std::string& text, const std::string& layer) {
    return valueOf(norm_names, text, layer, "norm_layer");
}

Activation activationFromString(const std::string& text, const std::string& layer) {
    return valueOf(act_names, text, layer, "act_layer");
}

Part partFromString(const std::string& text, const std::string& layer) {
    return valueOf(part_names, text, layer, "part");
}

NodeAttributes toAttributes(const IrmbParams& p) {
    NodeAttributes a;
    a.strings = {{"part", toString(p.part)},
                 {"norm_layer", toString(p.norm)},
                 {"act_layer", toString(p.act)}};
    if (p.norm == Norm::Layer || p.norm == Norm::Instance || p.norm == Norm::Group)
        a.floats["norm_eps"] = p.norm_eps;
    if (p.norm == Norm::Group)
        a.ints["norm_groups"] = p.norm_groups;
    a.ints["dim_mid"] = p.dim_mid;
    a.ints["attn_s"] = p.attention;
    a.ints["v_proj"] = p.v_proj;
    a.ints["v_bias"] = p.v_bias;
    if (p.attention) {
        a.ints["v_group"] = p.v_group;
        a.ints["attn_pre"] = p.attn_pre;
        a.ints["qk_bias"] = p.qk_bias;
        a.ints["dim_head"] = p.dim_head;
        a.ints["window_size"] = p.window_size;
    }
    if (p.part == Part::Attention)
        return a;
    a.ints["dim_out"] = p.dim_out;
    a.ints["proj_bias"] = p.proj_bias;
    a.ints["dw_ks"] = p.dw_ks;
    a.ints["stride"] = p.stride;
    a.ints["dilation"] = p.dilation;
    a.ints["se_channels"] = p.se_channels;
    a.ints["has_skip"] = p.has_skip;
    return a;
}

IrmbParams fromAttributes(const NodeAttributes& attributes, int channels,
                          const std::string& layer) {
    Reader reader(attributes, layer);
    IrmbParams p;
    p.part = partFromString(reader.string("part", toString(p.part)), layer);
    p.norm = normFromString(reader.string("norm_layer", toString(p.norm)), layer);
    p.act = activationFromString(reader.string("act_layer", toString(p.act)), layer);
    p.norm_eps = reader.real("norm_eps", p.norm_eps);
    p.norm_groups = reader.integer("norm_groups", p.norm_groups);
    p.dim_in = channels;
    p.dim_mid = reader.integer("dim_mid", channels);
    p.dim_out = reader.integer("dim_out", channels);
    if (p.part == Part::Attention)
        p.dim_out = p.dim_mid;
    p.attention = reader.flag("attn_s", p.attention);
    p.v_proj = reader.flag("v_proj", p.v_proj);
    p.v_group = reader.flag("v_group", p.v_group);
    p.attn_pre = reader.flag("attn_pre", p.attn_pre);
    p.qk_bias = reader.flag("qk_bias", p.qk_bias);
    p.v_bias = reader.flag("v_bias", p.v_bias);
    p.proj_bias = reader.flag("proj_bias", p.proj_bias);
    p.dim_head = reader.integer("dim_head", p.dim_head);
    p.window_size = reader.integer("window_size", p.window_size);
    p.dw_ks = reader.integer("dw_ks", p.dw_ks);
    p.stride = reader.integer("stride", p.stride);
    p.dilation = reader.integer("dilation", p.dilation);
    p.se_channels = reader.integer("se_channels", p.se_channels);
    p.has_skip = reader.flag("has_skip", p.has_skip);
    reader.finish();
    checkParams(p, layer);
    return p;
}

const std::vector<WeightSlot>& allWeightSlots() {
    using W = IrmbWeights;
    static const std::vector<WeightSlot> slots = {{"norm_scale", &W::norm_scale, {}},
                                                  {"norm_shift", &W::norm_shift, {}},
                                                  {"qk_weight", &W::qk_weight, {}},
                                                  {"qk_bias", &W::qk_bias, {}},
                                                  {"v_weight", &W::v_weight, {}},
                                                  {"v_bias", &W::v_bias, {}},
                                                  {"v_slope", &W::v_slope, {}, true},
                                                  {"local_weight", &W::local_weight, {}},
                                                  {"local_bias", &W::local_bias, {}},
                                                  {"se_reduce_weight", &W::se_reduce_weight, {}},
                                                  {"se_reduce_bias", &W::se_reduce_bias, {}},
                                                  {"se_slope", &W::se_slope, {}, true},
                                                  {"se_expand_weight", &W::se_expand_weight, {}},
                                                  {"se_expand_bias", &W::se_expand_bias, {}},
                                                  {"proj_weight", &W::proj_weight, {}},
                                                  {"proj_bias", &W::proj_bias, {}}};
    return slots;
}

std::vector<WeightSlot> weightSlots(const IrmbParams& p) {
    using W = IrmbWeights;
    const int c = p.dim_in;
    const int m = p.dim_mid;
    const int r = p.se_channels;
    const bool block = p.part == Part::Block;
    const bool prelu = p.act == Activation::Prelu;

    std::vector<WeightSlot> slots;
    const auto add = [&](bool wanted, WeightSlot slot) {
        if (wanted)
            slots.push_back(std::move(slot));
    };
    add(p.norm != Norm::None, {"norm_scale", &W::norm_scale, {c}});
    add(p.norm != Norm::None, {"norm_shift", &W::norm_shift, {c}});
    add(p.attention, {"qk_weight", &W::qk_weight, {2 * c, c, 1, 1}});
    add(p.attention && p.qk_bias, {"qk_bias", &W::qk_bias, {2 * c}});
    add(p.hasVConv(), {"v_weight", &W::v_weight, {m, c / p.vGroups(), 1, 1}});
    add(p.hasVConv() && p.v_bias, {"v_bias", &W::v_bias, {m}});
    add(p.hasVConv() && prelu, {"v_slope", &W::v_slope, {m}, true});
    add(block, {"local_weight", &W::local_weight, {m, 1, p.dw_ks, p.dw_ks}});
    add(block, {"local_bias", &W::local_bias, {m}});
    add(block && r > 0, {"se_reduce_weight", &W::se_reduce_weight, {r, m, 1, 1}});
    add(block && r > 0, {"se_reduce_bias", &W::se_reduce_bias, {r}});
    add(block && r > 0 && prelu, {"se_slope", &W::se_slope, {r}, true});
    add(block && r > 0, {"se_expand_weight", &W::se_expand_weight, {m, r, 1, 1}});
    add(block && r > 0, {"se_expand_bias", &W::se_expand_bias, {m}});
    add(block, {"proj_weight", &W::proj_weight, {p.dim_out, m, 1, 1}});
    add(block && p.proj_bias, {"proj_bias", &W::proj_bias, {p.dim_out}});
    return slots;
}

} // namespace irmb
