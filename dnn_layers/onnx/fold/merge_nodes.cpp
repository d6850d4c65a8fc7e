#include "rewrites.hpp"

#include <cmath>

namespace irmb::onnx {

namespace {

/// perm of a Transpose that does the work of `first` and then `second`.
std::vector<int64_t> compose(const std::vector<int64_t>& first,
                             const std::vector<int64_t>& second) {
    std::vector<int64_t> result;
    for (const int64_t axis : second)
        result.push_back(first[static_cast<std::size_t>(axis)]);
    return result;
}

/// A Reshape whose target says the same for any input: no 0 that copies a side.
bool isSpelledOut(const Facts& facts, const Node& reshape) {
    const auto it = facts.find(reshape.outputs.front());
    return it != facts.end() && it->second.shape && elementCount(*it->second.shape) > 0;
}

bool used(const Links& links, const std::string& tensor, std::size_t times) {
    return !links.isOutput(tensor) && links.consumers(tensor).size() == times;
}

const Tensor* floatConstant(const Graph& graph, const Node& node, std::size_t input) {
    if (!node.hasInput(input))
        return nullptr;
    const auto it = graph.initializers.find(node.inputs[input]);
    return it != graph.initializers.end() && it->second.type == DataType::Float ? &it->second
                                                                                : nullptr;
}

/// y = scale * x + shift for each channel.
struct ChannelAffine {
    std::vector<double> scale;
    std::vector<double> shift;
};

/// The affine map of a BatchNormalization in inference mode with constant parameters.
std::optional<ChannelAffine> affineOf(const Graph& graph, const Node& norm) {
    std::vector<double> parameters[4]; // gamma, beta, mean, variance
    if (norm.intAttr("training_mode", 0) != 0)
        return std::nullopt;
    for (std::size_t i = 1; i < norm.outputs.size(); ++i)
        if (!norm.outputs[i].empty())
            return std::nullopt;
    for (std::size_t i = 0; i < 4; ++i) {
        const Tensor* tensor = floatConstant(graph, norm, i + 1);
        if (!tensor)
            return std::nullopt;
        parameters[i] = tensor->doubles();
        if (parameters[i].size() != parameters[0].size())
            return std::nullopt;
    }
    const double epsilon = norm.floatAttr("epsilon", 1e-5f);
    ChannelAffine affine;
    for (std::size_t c = 0; c < parameters[0].size(); ++c) {
        const double scale = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
        affine.scale.push_back(scale);
        affine.shift.push_back(parameters[1][c] - parameters[2][c] * scale);
    }
    return affine;
}

/// Gives `conv` weights and a bias that apply `affine` to its result; false if they are not known.
bool applyAffine(OnnxModel& model, Facts& facts, Node& conv, const ChannelAffine& affine) {
    const Tensor* w = floatConstant(model.graph, conv, 1);
    const Tensor* b = floatConstant(model.graph, conv, 2);
    const std::size_t channels = affine.scale.size();
    if (!w || channels == 0 || w->shape.empty() || w->shape[0] != static_cast<int64_t>(channels) ||
        (conv.hasInput(2) && (!b || b->count() != w->shape[0])))
        return false;
    std::vector<float> weights = w->floats();
    std::vector<float> bias = b ? b->floats() : std::vector<float>(channels, 0.f);
    const std::size_t run = weights.size() / channels;
    for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = c * run; i < (c + 1) * run; ++i)
            weights[i] = static_cast<float>(weights[i] * affine.scale[c]);
        bias[c] = static_cast<float>(bias[c] * affine.scale[c] + affine.shift[c]);
    }
    const std::string name = conv.inputs[1];
    Tensor new_weights = Tensor::fromFloats(w->shape, weights);
    conv.inputs.resize(3);
    conv.inputs[1] = addInitializer(model, facts, name + "_normalised", std::move(new_weights));
    conv.inputs[2] = addInitializer(model, facts, name + "_normalised_bias",
                                    Tensor::fromFloats({static_cast<int64_t>(channels)}, bias));
    return true;
}

} // namespace

std::string freshName(const Facts& facts, std::string name) {
    while (facts.count(name))
        name += "_";
    return name;
}

std::string addInitializer(OnnxModel& model, Facts& facts, const std::string& name, Tensor tensor) {
    const std::string unique = freshName(facts, name);
    facts[unique] = {tensor.type, tensor.shape};
    model.graph.initializers[unique] = std::move(tensor);
    return unique;
}

Constants initializersOf(const Graph& graph) {
    Constants constants;
    for (const auto& [name, tensor] : graph.initializers)
        constants[name] = &tensor;
    return constants;
}

void mergeChains(OnnxModel& model, Facts& facts) {
    const Links links(model.graph);
    for (Node& node : model.graph.nodes) {
        const int before = node.hasInput(0) ? links.producer(node.inputs[0]) : -1;
        if (before < 0)
            continue;
        const Node& first = model.graph.nodes[static_cast<std::size_t>(before)];
        if (node.is("Reshape") && first.is("Reshape") && isSpelledOut(facts, node)) {
            node.inputs[0] = first.inputs[0];
        } else if (node.is("Transpose") && first.is("Transpose") &&
                   used(links, node.inputs[0], 1) && !first.intsAttr("perm").empty() &&
                   !node.intsAttr("perm").empty()) {
            node.attributes["perm"] = compose(first.intsAttr("perm"), node.intsAttr("perm"));
            node.inputs[0] = first.inputs[0];
        }
    }
    removeDead(model.graph);
}

void foldBatchNorms(OnnxModel& model, Facts& facts) {
    Graph& graph = model.graph;
    const Links links(graph);
    std::vector<bool> folded(graph.nodes.size(), false);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& norm = graph.nodes[i];
        if (!norm.is("BatchNormalization") || !norm.hasInput(0))
            continue;
        const int before = links.producer(norm.inputs[0]);
        if (before < 0 || !used(links, norm.inputs[0], 1))
            continue;
        Node& conv = graph.nodes[static_cast<std::size_t>(before)];
        const auto affine = affineOf(graph, norm);
        if (conv.is("Conv") && affine && applyAffine(model, facts, conv, *affine)) {
            conv.outputs[0] = norm.outputs[0];
            folded[i] = true;
        }
    }
    std::vector<Node> kept;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        if (!folded[i])
            kept.push_back(std::move(graph.nodes[i]));
    graph.nodes = std::move(kept);
}

} // namespace irmb::onnx
