#include "onnx/fold/specialise.hpp"
#include "onnx/opencv/rejoin_splits.hpp"
#include "support/graph_builder.hpp"

#include <gmock/gmock.h>

namespace irmb::test {
namespace {

using namespace irmb::onnx;
using testing::ElementsAre;

/// What becomes of nodes that make "y" from "x" of [1, 6, 4, 4].
Graph rejoined(std::vector<Node> nodes) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", {1, 6, 4, 4}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes = std::move(nodes);
    model.graph.initializers = {{"sizes", makeList({2, 4})},
                                {"zero", makeList({0})},
                                {"two", makeList({2})},
                                {"six", makeList({6})},
                                {"one", makeList({1})}};
    Facts facts = specialise(model, {});
    rejoinSplits(model, facts);
    removeDead(model.graph);
    return model.graph;
}

std::vector<std::string> operators(const Graph& graph) {
    std::vector<std::string> names;
    for (const Node& node : graph.nodes)
        names.push_back(node.op);
    return names;
}

Node split() {
    return makeNode("Split", {"x", "sizes"}, {"a", "b"}, {{"axis", int64_t(1)}});
}
Node slice(const std::string& part, const std::string& begin, const std::string& end) {
    return makeNode("Slice", {"x", begin, end, "one"}, {part});
}
Node concat(std::vector<std::string> inputs) {
    return makeNode("Concat", std::move(inputs), {"y"}, {{"axis", int64_t(1)}});
}

/// The Concat of a C2f.
TEST(RejoinSplits, ConcatTakesWhatWasSplit) {
    const Graph graph =
        rejoined({split(), makeNode("Relu", {"b"}, {"c"}), concat({"a", "b", "c"})});
    EXPECT_THAT(operators(graph), ElementsAre("Slice", "Relu", "Concat"));
    EXPECT_THAT(graph.nodes[2].inputs, ElementsAre("x", "c"));
    const Node& part = graph.nodes[0];
    EXPECT_THAT(part.outputs, ElementsAre("b"));
    EXPECT_EQ(graph.initializers.at(part.inputs[1]).ints(), (std::vector<int64_t>{2}));
    EXPECT_EQ(graph.initializers.at(part.inputs[2]).ints(), (std::vector<int64_t>{6}));
    EXPECT_EQ(graph.initializers.at(part.inputs[3]).ints(), (std::vector<int64_t>{1}));
}

TEST(RejoinSplits, SlicesAreParts) {
    const Graph graph = rejoined({slice("a", "zero", "two"), slice("b", "two", "six"),
                                  makeNode("Relu", {"b"}, {"c"}), concat({"c", "a", "b"})});
    EXPECT_THAT(operators(graph), ElementsAre("Slice", "Relu", "Concat"));
    EXPECT_THAT(graph.nodes[2].inputs, ElementsAre("c", "x"));
}

TEST(RejoinSplits, WholeAloneIsTheSame) {
    const Graph graph = rejoined({split(), concat({"a", "b"})});
    EXPECT_THAT(operators(graph), ElementsAre("Identity"));
    EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x"));
}

TEST(RejoinSplits, OtherOrdersAxesAndGapsStay) {
    const std::vector<std::vector<Node>> others = {
        {split(), concat({"b", "a"})},
        {makeNode("Split", {"x"}, {"a", "b"}, {{"axis", int64_t(2)}}), concat({"a", "b"})},
        {slice("a", "zero", "two"), makeNode("Relu", {"x"}, {"b"}), concat({"a", "b"})},
        {split(), makeNode("Relu", {"a"}, {"c"}), concat({"a", "c", "b"})},
    };
    for (const std::vector<Node>& nodes : others) {
        const Graph graph = rejoined(nodes);
        EXPECT_EQ(graph.nodes.back().inputs, nodes.back().inputs);
        EXPECT_EQ(graph.nodes.size(), nodes.size());
    }
}

TEST(RejoinSplits, PartThatIsAnOutputStays) {
    const Graph graph =
        rejoined({makeNode("Split", {"x", "sizes"}, {"y", "b"}, {{"axis", int64_t(1)}})});
    EXPECT_THAT(operators(graph), ElementsAre("Slice"));
    EXPECT_THAT(graph.nodes[0].outputs, ElementsAre("y"));
}

} // namespace
} // namespace irmb::test
