#include "fuse_irmb.hpp"

#include "custom_node.hpp"
#include "match_attention.hpp"
#include "match_irmb.hpp"

#include <opencv2/core.hpp>

namespace irmb::onnx {
namespace {

using Outcome = BlockReport::Outcome;

/// Blocks that the file itself holds as custom nodes. Reading them checks them.
std::vector<BlockReport> customBlocks(const Graph& graph, const GraphView& view) {
    std::vector<BlockReport> blocks;
    for (const Node& node : graph.nodes) {
        if (!isIrmb(node))
            continue;
        const Shape* shape = node.inputs.empty() ? nullptr : view.shape(node.inputs[0]);
        BlockReport block{node.outputs[0], Outcome::Whole, {}, 0, 0, 0};
        if (shape && shape->size() == 4) {
            block.dim_in = static_cast<int>((*shape)[1]);
            block.height = static_cast<int>((*shape)[2]);
            block.width = static_cast<int>((*shape)[3]);
            if (readIrmb(graph, node, block.dim_in).first.part == Part::Attention)
                block.outcome = Outcome::Core;
        }
        blocks.push_back(block);
    }
    return blocks;
}

/// The node that made the output is replaced, so the new one stands where all its inputs are known.
void replaceBlock(OnnxModel& model, Facts& facts, const IrmbMatch& match) {
    Graph& graph = model.graph;
    const int last = Links(graph).producer(match.output);
    Node node = makeIrmb(model, facts, match.input, match.output, match.params, match.weights);
    graph.nodes[last] = std::move(node);
}

} // namespace

FusionReport fuseIrmbs(OnnxModel& model, Facts& facts, bool replace) {
    FusionReport report;
    std::vector<IrmbMatch> matches;
    {
        const GraphView view(model, facts);
        report.blocks = customBlocks(model.graph, view);
        matches = matchIrmbs(view);
    }
    for (const IrmbMatch& match : matches) {
        if (replace && match.report.outcome != Outcome::Unfused)
            replaceBlock(model, facts, match);
        report.blocks.push_back(match.report);
    }
    if (replace)
        removeDead(model.graph);
    else
        for (BlockReport& block : report.blocks)
            block = {block.name,   Outcome::Unfused, "fusion is switched off",
                     block.dim_in, block.height,     block.width};
    return report;
}

void checkTracedSize(const OnnxModel& model, const Facts& facts) {
    const GraphView view(model, facts);
    for (int i = 0; i < static_cast<int>(model.graph.nodes.size()); ++i) {
        if (!view.node(i).is("Softmax"))
            continue;
        const auto attention = matchAttention(view, i);
        if (attention && !attention->cropped)
            CV_Error(cv::Error::StsBadArg,
                     "the iRMB around '" + attention->output + "' pads its map of " +
                         std::to_string(attention->width) + "x" +
                         std::to_string(attention->height) +
                         " and never crops it: it was exported at a size that its windows divide; "
                         "export it again for this input size, or at a size that they do not");
    }
}

} // namespace irmb::onnx
