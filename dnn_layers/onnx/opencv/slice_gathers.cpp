#include "slice_gathers.hpp"

namespace irmb::onnx {
namespace {

const Shape* shapeOf(const Facts& facts, const std::string& tensor) {
    const auto found = facts.find(tensor);
    return found == facts.end() || !found->second.shape ? nullptr : &*found->second.shape;
}

/// What one Gather with a single index takes from its input.
struct Pick {
    Shape input;
    Shape output;
    int64_t axis;
    int64_t index;
};

std::optional<Pick> singlePick(const Graph& graph, const Facts& facts, const Node& node) {
    if (!node.is("Gather"))
        return std::nullopt;
    const Shape* input = shapeOf(facts, node.inputs[0]);
    const Shape* output = shapeOf(facts, node.outputs[0]);
    const auto indices = graph.initializers.find(node.inputs[1]);
    if (!input || !output || output->empty() || facts.at(node.inputs[0]).type != DataType::Float ||
        indices == graph.initializers.end() || indices->second.count() != 1)
        return std::nullopt;
    const auto rank = static_cast<int64_t>(input->size());
    const int64_t axis = node.intAttr("axis", 0) + (node.intAttr("axis", 0) < 0 ? rank : 0);
    if (axis < 0 || axis >= rank)
        return std::nullopt;
    const int64_t size = (*input)[static_cast<std::size_t>(axis)];
    const int64_t index = indices->second.ints().front();
    const int64_t from_start = index < 0 ? index + size : index;
    if (from_start < 0 || from_start >= size)
        return std::nullopt;
    return Pick{*input, *output, axis, from_start};
}

class Slicer {
public:
    Slicer(OnnxModel& model, Facts& facts, const std::string& output)
        : model_(model), facts_(facts), output_(output) {}

    std::vector<Node> nodes(const std::string& input, const Pick& pick) {
        const std::string sliced = output_ + "/sliced";
        Shape shape = pick.input;
        shape[static_cast<std::size_t>(pick.axis)] = 1;
        facts_[sliced] = {facts_.at(input).type, shape};
        const Node slice{"Slice",
                         "",
                         sliced,
                         {input, constant("starts", {pick.index}),
                          constant("ends", {pick.index + 1}), constant("axes", {pick.axis})},
                         {sliced},
                         {}};
        const Node reshape{"Reshape", "", output_, {sliced, constant("shape", pick.output)},
                           {output_}, {}};
        return {slice, reshape};
    }

private:
    std::string constant(const std::string& role, const Shape& values) {
        const std::string name = output_ + "/" + role;
        const auto count = static_cast<int64_t>(values.size());
        model_.graph.initializers[name] = Tensor::fromInts({count}, values);
        facts_[name] = {DataType::Int64, Shape{count}};
        return name;
    }

    OnnxModel& model_;
    Facts& facts_;
    std::string output_;
};

} // namespace

void sliceGathers(OnnxModel& model, Facts& facts) {
    std::vector<Node> nodes;
    for (Node& node : model.graph.nodes) {
        const auto pick = singlePick(model.graph, facts, node);
        if (!pick) {
            nodes.push_back(std::move(node));
            continue;
        }
        for (Node& part : Slicer(model, facts, node.outputs[0]).nodes(node.inputs[0], *pick))
            nodes.push_back(std::move(part));
    }
    model.graph.nodes = std::move(nodes);
}

} // namespace irmb::onnx
