#include "rewrite_gelu.hpp"

#include "match_activation.hpp"

#include <algorithm>
#include <cmath>

namespace irmb::onnx {
namespace {

struct Gelu {
    int last;           ///< node that makes the result
    std::string source; ///< what GELU is applied to
};

/// Element-wise nodes that `tensor` flows into, along the last reader of each, as far as a GELU
/// reaches.
std::optional<Gelu> followGelu(const GraphView& view, int start) {
    int at = start;
    for (int length = 0; length < 6; ++length) {
        const std::string& output = view.node(at).outputs[0];
        if (const auto act = matchActivation(view, output); act && act->act == Activation::Gelu)
            return Gelu{at, act->source};
        const std::vector<int>& readers = view.links().consumers(output);
        if (readers.empty())
            return std::nullopt;
        at = readers.back();
    }
    return std::nullopt;
}

std::vector<Gelu> findGelus(const GraphView& view) {
    std::vector<Gelu> gelus;
    for (int i = 0; i < static_cast<int>(view.graph().nodes.size()); ++i)
        if (view.node(i).is("Erf") || view.node(i).is("Gelu"))
            if (const auto gelu = followGelu(view, i))
                gelus.push_back(*gelu);
    return gelus;
}

std::string constant(OnnxModel& model, Facts& facts, const std::string& name, float value) {
    model.graph.initializers[name] = Tensor::scalar(value);
    facts[name] = {DataType::Float, Shape{}};
    return name;
}

std::vector<Node> spell(OnnxModel& model, Facts& facts, const std::string& x,
                        const std::string& result) {
    const std::string prefix = result + "/gelu_";
    const auto add = [&](const char* op, const std::string& output,
                         std::vector<std::string> inputs) {
        facts[output] = facts[x];
        return Node{op, "", output, std::move(inputs), {output}, {}};
    };
    const float root = static_cast<float>(std::sqrt(2.0));
    return {
        add("Div", prefix + "scaled", {x, constant(model, facts, prefix + "root", root)}),
        add("Erf", prefix + "erf", {prefix + "scaled"}),
        add("Add", prefix + "sum", {prefix + "erf", constant(model, facts, prefix + "one", 1)}),
        add("Mul", prefix + "product", {x, prefix + "sum"}),
        add("Mul", result, {prefix + "product", constant(model, facts, prefix + "half", 0.5f)})};
}

} // namespace

void rewriteGelu(OnnxModel& model, Facts& facts) {
    const std::vector<Gelu> gelus = findGelus(GraphView(model, facts));
    std::vector<Node> nodes;
    for (int i = 0; i < static_cast<int>(model.graph.nodes.size()); ++i) {
        const auto gelu = std::find_if(gelus.begin(), gelus.end(),
                                       [&](const Gelu& candidate) { return candidate.last == i; });
        if (gelu == gelus.end()) {
            nodes.push_back(std::move(model.graph.nodes[i]));
            continue;
        }
        for (Node& node : spell(model, facts, gelu->source, model.graph.nodes[i].outputs[0]))
            nodes.push_back(std::move(node));
    }
    model.graph.nodes = std::move(nodes);
    removeDead(model.graph);
}

} // namespace irmb::onnx
