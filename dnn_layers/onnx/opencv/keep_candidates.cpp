#include "keep_candidates.hpp"

#include "cuda/candidates.hpp"
#include "layer/candidate_layer.hpp"
#include "onnx/graph_view.hpp"
#include "onnx/head/box_decoder.hpp"
#include "onnx/head/head_rows.hpp"
#include "onnx/irmb/custom_node.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

/// The furthest tensor back that holds these rows alone, as [B, rows, N]; empty if there is none.
std::string tensorOf(const GraphView& view, const Rows& rows) {
    const std::vector<Rows> chain = traceRows(view, rows);
    const auto found = std::find_if(chain.rbegin(), chain.rend(), [](const Rows& step) {
        return step.isWhole() && !step.anchor_major;
    });
    return found != chain.rend() ? found->tensor : "";
}

Node candidateNode(OnnxModel& model, const std::string& head, const BoxDecoder& decoder,
                   const std::string& scores, int keep) {
    Node node;
    node.op = candidate_op;
    node.domain = irmb_domain;
    node.name = head + "/" + candidate_op;
    node.inputs = {decoder.distances, scores, node.name + "/offsets", node.name + "/factors"};
    node.outputs = {head + "/candidates"};
    node.attributes["keep"] = int64_t{keep};
    const Shape shape = {4, static_cast<int64_t>(decoder.offsets.size() / 4)};
    model.graph.initializers[node.inputs[2]] = Tensor::fromFloats(shape, decoder.offsets);
    model.graph.initializers[node.inputs[3]] = Tensor::fromFloats(shape, decoder.factors);
    return node;
}

} // namespace

int keepCandidates(OnnxModel& model, const Facts& facts, int most) {
    Graph& graph = model.graph;
    if (graph.outputs.size() != 1 || graph.outputs[0].shape.size() != 3)
        return 0;
    const std::string head = graph.outputs[0].name;
    const Shape shape = graph.outputs[0].shape;
    const int64_t classes = shape[1] - 4;
    if (classes < 1 || shape[2] < 1)
        return 0;
    const int keep = static_cast<int>(std::min<int64_t>(most, shape[2]));
    if (!cuda::candidatesFit({static_cast<int>(classes), static_cast<int>(shape[2]), keep},
                             static_cast<int>(shape[0])))
        return 0;
    std::string scores;
    std::optional<BoxDecoder> decoder;
    {
        const GraphView view(model, facts);
        scores = tensorOf(view, {head, false, 4, classes, shape[1]});
        decoder = findBoxDecoder(model, facts, tensorOf(view, {head, false, 0, 4, shape[1]}));
    }
    if (scores.empty() || !decoder)
        return 0;
    Node node = candidateNode(model, head, *decoder, scores, keep);
    graph.outputs = {{node.outputs[0], DataType::Float, true, {shape[0], 2, keep, 6}}};
    graph.nodes.push_back(std::move(node));
    removeDead(graph);
    model.opsets[irmb_domain] = 1;
    return keep;
}

} // namespace irmb::onnx
