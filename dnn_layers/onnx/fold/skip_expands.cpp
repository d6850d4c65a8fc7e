#include "onnx/static_shape.hpp"
#include "rewrites.hpp"

namespace irmb::onnx {
namespace {

bool broadcasts(const Node& node) {
    return node.inputs.size() == 2 &&
           (node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div") || node.is("Pow"));
}

} // namespace

void skipExpands(OnnxModel& model, const Facts& facts) {
    std::vector<Node>& nodes = model.graph.nodes;
    const Links links(model.graph);
    for (Node& node : nodes) {
        if (!broadcasts(node))
            continue;
        const Shape* result = staticShape(facts, node.outputs.front());
        for (std::size_t i = 0; i < 2; ++i) {
            const int producer = links.producer(node.inputs[i]);
            if (producer < 0 || !nodes[producer].is("Expand"))
                continue;
            const std::string& narrow = nodes[producer].inputs.front();
            const Shape* other = staticShape(facts, node.inputs[1 - i]);
            const Shape* shape = staticShape(facts, narrow);
            if (result && other && shape && *other == *result && shape->size() == result->size())
                node.inputs[i] = narrow;
        }
    }
}

} // namespace irmb::onnx
