#include "slice_gathers.hpp"

#include "onnx/axis_range.hpp"

namespace irmb::onnx {
namespace {

/// What one Gather with a single index takes from its input.
struct Pick {
    Shape input;
    Shape output;
    int64_t axis;
    int64_t index;
};

std::optional<Pick> singlePick(const GraphView& view, const Node& node) {
    if (!node.is("Gather") || view.type(node.inputs[0]) != DataType::Float)
        return std::nullopt;
    const Shape* input = view.shape(node.inputs[0]);
    const Shape* output = view.shape(node.outputs[0]);
    const Tensor* indices = view.constant(node.inputs[1]);
    const int64_t axis = axisOf(view, node, 0);
    if (!input || !output || output->empty() || !indices || indices->count() != 1 || axis < 0 ||
        axis >= static_cast<int64_t>(input->size()))
        return std::nullopt;
    const int64_t size = (*input)[static_cast<std::size_t>(axis)];
    const int64_t index = indices->ints().front();
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
    const GraphView view(model, facts);
    std::vector<Node> nodes;
    for (Node& node : model.graph.nodes) {
        const auto pick = singlePick(view, node);
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
