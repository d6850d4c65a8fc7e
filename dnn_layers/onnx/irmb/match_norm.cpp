#include "match_norm.hpp"

#include <cmath>

namespace irmb::onnx {
namespace {

using Values = std::vector<double>;

cv::Mat toMat(const Values& values) {
    cv::Mat mat(static_cast<int>(values.size()), 1, CV_32F);
    for (int i = 0; i < mat.rows; ++i)
        mat.at<float>(i) = static_cast<float>(values[i]);
    return mat;
}

/// A constant with one value for each channel, whatever ones surround that dimension.
/// `axis` is the channel axis counted from the end: -3 in NCHW, -1 in NHWC.
std::optional<Values> perChannel(const GraphView& view, const std::string& tensor, int axis,
                                 int64_t channels) {
    const Tensor* value = view.constant(tensor);
    if (!value || !value->isFloating())
        return std::nullopt;
    if (value->count() == 1)
        return Values(channels, value->doubles().front());
    const int64_t place = static_cast<int64_t>(value->shape.size()) + axis;
    if (value->count() != channels || place < 0 || value->shape[place] != channels)
        return std::nullopt;
    return value->doubles();
}

/// A 1-D weight of a normalising operator.
std::optional<Values> weights(const GraphView& view, const Node& node, std::size_t input,
                              int64_t count) {
    const Tensor* value = node.hasInput(input) ? view.constant(node.inputs[input]) : nullptr;
    if (!value || !value->isFloating() || value->count() != count)
        return std::nullopt;
    return value->doubles();
}

/// y = z * scale + shift, with the tensor z.
struct Affine {
    std::string source;
    Values scale;
    Values shift;
    bool present = false;
};

Affine stripAffine(const GraphView& view, const std::string& tensor, int axis, int64_t channels) {
    Affine affine{tensor, Values(channels, 1), Values(channels, 0), false};
    const auto strip = [&](const char* op, Values& into) {
        const Node* node = view.producer(affine.source);
        if (!node || !node->is(op))
            return;
        for (int constant = 0; constant < 2; ++constant) {
            if (const auto values = perChannel(view, node->inputs[constant], axis, channels)) {
                into = *values;
                affine.source = node->inputs[1 - constant];
                affine.present = true;
                return;
            }
        }
    };
    strip("Add", affine.shift);
    strip("Mul", affine.scale);
    return affine;
}

/// (v * inner_scale + inner_shift) * scale + shift
void compose(Affine& affine, const Values& inner_scale, const Values& inner_shift) {
    for (std::size_t c = 0; c < affine.scale.size(); ++c) {
        affine.shift[c] += affine.scale[c] * inner_shift[c];
        affine.scale[c] *= inner_scale[c];
    }
}

NormMatch finish(Norm norm, double eps, int groups, const Affine& affine, std::string source) {
    return {norm,  static_cast<float>(eps), groups, toMat(affine.scale), toMat(affine.shift),
            source};
}

std::optional<NormMatch> matchBatch(const GraphView& view, const Node& node, Affine affine) {
    const int64_t channels = static_cast<int64_t>(affine.scale.size());
    const auto gamma = weights(view, node, 1, channels);
    const auto beta = weights(view, node, 2, channels);
    const auto mean = weights(view, node, 3, channels);
    const auto variance = weights(view, node, 4, channels);
    if (!gamma || !beta || !mean || !variance || node.intAttr("training_mode", 0) != 0)
        return std::nullopt;
    const double eps = node.floatAttr("epsilon", 1e-5f);
    Values scale(channels), shift(channels);
    for (int64_t c = 0; c < channels; ++c) {
        scale[c] = (*gamma)[c] / std::sqrt((*variance)[c] + eps);
        shift[c] = (*beta)[c] - (*mean)[c] * scale[c];
    }
    compose(affine, scale, shift);
    return finish(Norm::Batch, 0, 1, affine, node.inputs[0]);
}

/// Group norm as PyTorch exports it: Reshape to [B, groups, -1], InstanceNormalization, Reshape.
std::optional<NormMatch> matchGroup(const GraphView& view, const Node& back, Affine affine) {
    const Node* instance = view.producer(back.inputs[0]);
    if (!instance || !instance->is("InstanceNormalization"))
        return std::nullopt;
    const Node* there = view.producer(instance->inputs[0]);
    const Shape* grouped = view.shape(instance->inputs[0]);
    if (!there || !there->is("Reshape") || !grouped || grouped->size() != 3)
        return std::nullopt;
    const int64_t channels = static_cast<int64_t>(affine.scale.size());
    const Shape* source = view.shape(there->inputs[0]);
    const int64_t groups = (*grouped)[1];
    if (!source || source->size() != 4 || (*source)[1] != channels || groups < 1 ||
        (*grouped)[0] != (*source)[0] || channels % groups != 0)
        return std::nullopt;
    const auto scale = weights(view, *instance, 1, groups);
    const auto shift = weights(view, *instance, 2, groups);
    if (!scale || !shift)
        return std::nullopt;
    Values wide_scale(channels), wide_shift(channels);
    for (int64_t c = 0; c < channels; ++c) {
        wide_scale[c] = (*scale)[c / (channels / groups)];
        wide_shift[c] = (*shift)[c / (channels / groups)];
    }
    compose(affine, wide_scale, wide_shift);
    return finish(Norm::Group, instance->floatAttr("epsilon", 1e-5f), static_cast<int>(groups),
                  affine, there->inputs[0]);
}

std::optional<NormMatch> matchGroupOperator(const GraphView& view, const Node& node,
                                            Affine affine) {
    const int64_t channels = static_cast<int64_t>(affine.scale.size());
    const int64_t groups = node.intAttr("num_groups", 0);
    if (groups < 1 || channels % groups != 0)
        return std::nullopt;
    // The scale has one value a group in opset 18 and one a channel from 21 on.
    Values inner[2];
    for (int i = 0; i < 2; ++i) {
        auto values = weights(view, node, i + 1, channels);
        if (!values && (values = weights(view, node, i + 1, groups))) {
            Values wide(channels);
            for (int64_t c = 0; c < channels; ++c)
                wide[c] = (*values)[c / (channels / groups)];
            values = wide;
        }
        if (!values)
            return std::nullopt;
        inner[i] = *values;
    }
    compose(affine, inner[0], inner[1]);
    return finish(Norm::Group, node.floatAttr("epsilon", 1e-5f), static_cast<int>(groups), affine,
                  node.inputs[0]);
}

std::optional<NormMatch> matchInstance(const GraphView& view, const Node& node, Affine affine) {
    const int64_t channels = static_cast<int64_t>(affine.scale.size());
    const auto scale = weights(view, node, 1, channels);
    const auto shift = weights(view, node, 2, channels);
    if (!scale || !shift)
        return std::nullopt;
    compose(affine, *scale, *shift);
    return finish(Norm::Instance, node.floatAttr("epsilon", 1e-5f), 1, affine, node.inputs[0]);
}

/// Axes of a ReduceMean, as attribute or input; empty when unknown.
Shape reduceAxes(const GraphView& view, const Node& node) {
    if (const Tensor* axes = node.hasInput(1) ? view.constant(node.inputs[1]) : nullptr)
        return axes->ints();
    return node.intsAttr("axes");
}

/// The input of a ReduceMean over the one axis `axis` with kept dimensions that makes `tensor`.
std::optional<std::string> meanOf(const GraphView& view, const std::string& tensor, int64_t axis) {
    const Node* node = view.producer(tensor);
    if (!node || !node->is("ReduceMean") || node->intAttr("keepdims", 1) != 1)
        return std::nullopt;
    const Shape axes = reduceAxes(view, *node);
    if (axes.size() != 1 || (axes[0] < 0 ? axes[0] + 4 : axes[0]) != axis)
        return std::nullopt;
    return node->inputs[0];
}

/// The tensor whose square makes `tensor`: Pow(d, 2) or Mul(d, d).
std::optional<std::string> squareOf(const GraphView& view, const std::string& tensor) {
    const Node* node = view.producer(tensor);
    if (!node || node->inputs.size() != 2)
        return std::nullopt;
    if (node->is("Mul") && node->inputs[0] == node->inputs[1])
        return node->inputs[0];
    const auto exponent = view.scalar(node->inputs[1]);
    if (node->is("Pow") && exponent && *exponent == 2)
        return node->inputs[0];
    return std::nullopt;
}

/// Layer norm in parts: d = x - mean(x); d / sqrt(mean(d^2) + eps), over axis `axis`.
std::optional<std::pair<std::string, double>>
decomposedLayerNorm(const GraphView& view, const std::string& tensor, int64_t axis) {
    const Node* divide = view.producer(tensor);
    if (!divide || !divide->is("Div"))
        return std::nullopt;
    const Node* centre = view.producer(divide->inputs[0]);
    const Node* root = view.producer(divide->inputs[1]);
    if (!centre || !centre->is("Sub") || !root || !root->is("Sqrt"))
        return std::nullopt;
    const Node* sum = view.producer(root->inputs[0]);
    if (!sum || !sum->is("Add"))
        return std::nullopt;
    for (int i = 0; i < 2; ++i) {
        const auto eps = view.scalar(sum->inputs[i]);
        const auto squared = meanOf(view, sum->inputs[1 - i], axis);
        if (!eps || !squared)
            continue;
        const auto centred = squareOf(view, *squared);
        const auto averaged = meanOf(view, centre->inputs[1], axis);
        const Node* again = centred ? view.producer(*centred) : nullptr;
        const bool same_centre = again && again->is("Sub") && again->inputs == centre->inputs;
        if (same_centre && averaged && *averaged == centre->inputs[0])
            return std::make_pair(centre->inputs[0], *eps);
    }
    return std::nullopt;
}

/// The [B, C, H, W] tensor whose transposition to [B, H, W, C] is `tensor`.
std::optional<std::string> channelFirst(const GraphView& view, const std::string& tensor) {
    const Node* node = view.producer(tensor);
    if (!node || !node->is("Transpose") || node->intsAttr("perm") != Shape{0, 2, 3, 1})
        return std::nullopt;
    return node->inputs[0];
}

std::optional<NormMatch> matchLayer(const GraphView& view, Affine affine, bool channel_last) {
    const int64_t channels = static_cast<int64_t>(affine.scale.size());
    std::string source;
    double eps = 0;
    const Node* node = view.producer(affine.source);
    if (node && node->is("LayerNormalization") && channel_last) {
        const auto scale = weights(view, *node, 1, channels);
        const auto shift =
            node->hasInput(2) ? weights(view, *node, 2, channels) : Values(channels, 0);
        const int64_t axis = node->intAttr("axis", -1);
        if (!scale || !shift || (axis != -1 && axis != 3))
            return std::nullopt;
        compose(affine, *scale, *shift);
        source = node->inputs[0];
        eps = node->floatAttr("epsilon", 1e-5f);
    } else if (auto found = decomposedLayerNorm(view, affine.source, channel_last ? 3 : 1)) {
        std::tie(source, eps) = *found;
    } else {
        return std::nullopt;
    }
    if (channel_last) {
        const auto first = channelFirst(view, source);
        if (!first)
            return std::nullopt;
        source = *first;
    }
    return finish(Norm::Layer, eps, 1, affine, source);
}

} // namespace

std::optional<NormMatch> matchNorm(const GraphView& view, const std::string& tensor,
                                   bool channel_last) {
    const Shape* shape = view.shape(tensor);
    if (!shape || shape->size() != 4)
        return std::nullopt;
    const int64_t channels = (*shape)[channel_last ? 3 : 1];
    const Affine affine = stripAffine(view, tensor, channel_last ? -1 : -3, channels);
    if (auto layer = matchLayer(view, affine, channel_last))
        return layer;
    if (channel_last)
        return std::nullopt;
    std::optional<NormMatch> match;
    if (const Node* node = view.producer(affine.source)) {
        if (node->is("BatchNormalization"))
            match = matchBatch(view, *node, affine);
        else if (node->is("InstanceNormalization"))
            match = matchInstance(view, *node, affine);
        else if (node->is("GroupNormalization"))
            match = matchGroupOperator(view, *node, affine);
        else if (node->is("Reshape"))
            match = matchGroup(view, *node, affine);
    }
    if (!match && affine.present)
        match = finish(Norm::Batch, 0, 1, affine, affine.source);
    return match ? match : NormMatch{Norm::None, 0, 1, {}, {}, tensor};
}

} // namespace irmb::onnx
