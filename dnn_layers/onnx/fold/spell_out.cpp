#include "onnx/static_shape.hpp"
#include "rewrites.hpp"
#include "shape_rules.hpp"

#include <algorithm>

namespace irmb::onnx {

namespace {

class Speller {
public:
    Speller(OnnxModel& model, Facts& facts)
        : model_(model), facts_(facts), constants_(initializersOf(model.graph)) {}

    void spell(Node& node) {
        if (!node.domain.empty() || node.outputs.empty())
            return;
        if (node.op == "Reshape" || node.op == "Squeeze" || node.op == "Unsqueeze" ||
            node.op == "Flatten")
            spellReshape(node);
        else if (node.op == "Split")
            spellSplit(node);
        else if (node.op == "Conv" || node.op == "MaxPool" || node.op == "AveragePool")
            spellWindow(node);
        else if (node.op == "ConvTranspose" && staticShape(facts_, node.inputs.at(1)))
            node.attributes["kernel_shape"] = spatial(*staticShape(facts_, node.inputs[1]));
    }

private:
    /// Sides after the first two.
    static Shape spatial(const Shape& shape) {
        return Shape(shape.begin() + std::min<std::size_t>(2, shape.size()), shape.end());
    }

    /// One initializer for each list of integers, however many nodes want it.
    const std::string& listConstant(const std::vector<int64_t>& values) {
        std::string& name = lists_[values];
        if (name.empty())
            name = addInitializer(model_, facts_,
                                  values.size() > kMaxRank ? "list" : "list_" + toString(values),
                                  Tensor::fromInts({static_cast<int64_t>(values.size())}, values));
        return name;
    }

    void spellReshape(Node& node) {
        const Shape* shape = staticShape(facts_, node.outputs.front());
        // In the shape of a Reshape, 0 has a meaning of its own.
        if (!shape || shape->empty() || std::count(shape->begin(), shape->end(), 0) != 0)
            return;
        node.op = "Reshape";
        node.attributes.clear();
        node.inputs = {node.inputs.front(), listConstant(Shape(*shape))};
    }

    void spellSplit(Node& node) {
        const Shape* x = staticShape(facts_, node.inputs.front());
        if (!x)
            return;
        const NodeContext ctx(node, model_.opset(), facts_, constants_);
        const int64_t axis = ctx.axis(node.intAttr("axis", 0), x->size());
        const auto sizes = splitSizes(ctx, (*x)[axis]);
        if (!sizes)
            return;
        node.attributes.clear();
        node.attributes["axis"] = axis;
        node.inputs.resize(1);
        if (model_.opset() >= 13)
            node.inputs.push_back(listConstant(*sizes));
        else
            node.attributes["split"] = *sizes;
    }

    void spellWindow(Node& node) {
        const Shape* x = staticShape(facts_, node.inputs.front());
        const bool conv = node.op == "Conv";
        const Shape* w = conv ? staticShape(facts_, node.inputs.at(1)) : nullptr;
        if (!x || (conv && !w))
            return;
        const Shape sides = spatial(*x);
        const NodeContext ctx(node, model_.opset(), facts_, constants_);
        const Shape kernel = conv ? spatial(*w) : ctx.extents("kernel_shape", sides.size(), 0);
        const Window window = resolveWindow(ctx, sides, kernel);
        node.attributes.erase("auto_pad");
        node.attributes["kernel_shape"] = window.kernel;
        node.attributes["strides"] = window.strides;
        node.attributes["pads"] = window.pads;
        // AveragePool knows dilations from opset 19 on.
        if (conv || node.attributes.count("dilations"))
            node.attributes["dilations"] = window.dilations;
        if (conv)
            node.attributes["group"] = node.intAttr("group", 1);
    }

    OnnxModel& model_;
    Facts& facts_;
    Constants constants_;
    std::map<std::vector<int64_t>, std::string> lists_;
};

} // namespace

void spellOut(OnnxModel& model, Facts& facts) {
    Speller speller(model, facts);
    for (Node& node : model.graph.nodes)
        speller.spell(node);
}

} // namespace irmb::onnx
