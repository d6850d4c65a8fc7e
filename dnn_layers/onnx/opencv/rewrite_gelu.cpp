#include "rewrite_gelu.hpp"

#include "onnx/irmb/match_activation.hpp"

#include <opencv2/core/cvdef.h>

#include <algorithm>
#include <cmath>

namespace irmb::onnx {
namespace {

struct Gelu {
    int last;           ///< node that makes the result
    std::string source; ///< what GELU is applied to
    bool exact = true;  ///< with erf; else the approximation with tanh
};

bool isApproximate(const Node& node) {
    return node.is("Gelu") && node.stringAttr("approximate", "none") == "tanh";
}

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
    for (int i = 0; i < static_cast<int>(view.graph().nodes.size()); ++i) {
        const Node& node = view.node(i);
        if (isApproximate(node)) {
            gelus.push_back({i, node.inputs[0], false});
        } else if (node.is("Erf") || node.is("Gelu")) {
            if (const auto gelu = followGelu(view, i))
                gelus.push_back(*gelu);
        }
    }
    return gelus;
}

/// Writes the nodes of one GELU; `result` names its output and, with suffixes, its inner tensors.
class Speller {
public:
    Speller(OnnxModel& model, Facts& facts, const std::string& x, const std::string& result)
        : model_(model), facts_(facts), x_(x), result_(result), prefix_(result + "/gelu_") {}

    std::vector<Node> exact() {
        add("Div", "scaled", x_, constant("root", std::sqrt(2.0)));
        add("Erf", "erf", inner("scaled"));
        add("Add", "sum", inner("erf"), constant("one", 1));
        add("Mul", "product", x_, inner("sum"));
        add("Mul", "", inner("product"), constant("half", 0.5));
        return std::move(nodes_);
    }

    /// 0.5 x (1 + tanh(t)) = x sigmoid(2 t), t = sqrt(2 / pi) (x + 0.044715 x^3).
    std::vector<Node> approximate() {
        const double slope = 2 * std::sqrt(2 / CV_PI);
        add("Mul", "square", x_, x_);
        add("Mul", "curved", inner("square"), constant("cubic", 0.044715 * slope));
        add("Add", "factor", inner("curved"), constant("linear", slope));
        add("Mul", "argument", x_, inner("factor"));
        add("Sigmoid", "gate", inner("argument"));
        add("Mul", "", x_, inner("gate"));
        return std::move(nodes_);
    }

private:
    std::string inner(const std::string& suffix) const { return prefix_ + suffix; }

    std::string constant(const std::string& suffix, double value) {
        const std::string name = inner(suffix);
        model_.graph.initializers[name] = Tensor::scalar(static_cast<float>(value));
        facts_[name] = {DataType::Float, Shape{}};
        return name;
    }

    /// `suffix` names the output; empty: the result.
    void add(const char* op, const std::string& suffix, const std::string& a,
             const std::string& b = {}) {
        const std::string output = suffix.empty() ? result_ : inner(suffix);
        facts_[output] = facts_[x_];
        std::vector<std::string> inputs = {a};
        if (!b.empty())
            inputs.push_back(b);
        nodes_.push_back(Node{op, "", output, std::move(inputs), {output}, {}});
    }

    OnnxModel& model_;
    Facts& facts_;
    std::string x_;
    std::string result_;
    std::string prefix_;
    std::vector<Node> nodes_;
};

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
        Speller speller(model, facts, gelu->source, model.graph.nodes[i].outputs[0]);
        for (Node& node : gelu->exact ? speller.exact() : speller.approximate())
            nodes.push_back(std::move(node));
    }
    model.graph.nodes = std::move(nodes);
    removeDead(model.graph);
}

} // namespace irmb::onnx
