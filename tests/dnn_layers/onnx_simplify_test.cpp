#include "onnx/fold/specialise.hpp"
#include "support/graph_builder.hpp"

#include <gtest/gtest.h>

namespace irmb::test {
namespace {

using namespace irmb::onnx;
using Attributes = std::map<std::string, Attribute>;

Tensor scalar(int64_t value) {
    return makeInts({}, {value});
}

Tensor row(const std::vector<float>& values) {
    return makeFloats({static_cast<int64_t>(values.size())}, values);
}

using Ints = std::vector<int64_t>;

/// x [1, 4, 6, 6] -> Relu -> `nodes`, which lead from "r" to "y".
OnnxModel modelWith(std::vector<Node> nodes, int64_t opset = 17) {
    OnnxModel model = makeEmptyModel(opset);
    model.graph.inputs.push_back(makeValue("x", {1, 4, 6, 6}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes = {makeNode("Relu", {"x"}, {"r"})};
    for (Node& n : nodes)
        model.graph.nodes.push_back(std::move(n));
    return model;
}

Facts simplified(OnnxModel& model) {
    Facts facts = specialise(model, {{"x", {1, 4, 6, 6}}});
    simplify(model, facts);
    for (const auto& [name, fact] : inferFacts(model)) {
        EXPECT_EQ(facts.at(name).shape, fact.shape) << name;
        EXPECT_EQ(facts.at(name).type, fact.type) << name;
    }
    return facts;
}

std::string opsOf(const OnnxModel& model) {
    std::string ops;
    for (const Node& n : model.graph.nodes)
        ops += (ops.empty() ? "" : " ") + n.op;
    return ops;
}

void expectGone(std::vector<Node> nodes, const std::map<std::string, Tensor>& constants = {}) {
    // A Sigmoid behind the nodes keeps the name of the output out of the question.
    nodes.push_back(makeNode("Sigmoid", {nodes.back().outputs.front()}, {"y"}));
    const std::string op = nodes.front().op;
    OnnxModel model = modelWith(std::move(nodes));
    model.graph.initializers.insert(constants.begin(), constants.end());
    simplified(model);
    EXPECT_EQ(opsOf(model), "Relu Sigmoid") << op;
    EXPECT_EQ(model.graph.nodes[1].inputs[0], "r") << op;
}

TEST(Simplify, DropsWhatDoesNothing) {
    expectGone({makeNode("Identity", {"r"}, {"a"})});
    expectGone({makeNode("Dropout", {"r"}, {"a"})});
    expectGone({makeNode("Cast", {"r"}, {"a"}, {{"to", int64_t(1)}})});
    expectGone({makeNode("Concat", {"r"}, {"a"}, {{"axis", int64_t(1)}})});
    expectGone({makeNode("Transpose", {"r"}, {"a"}, {{"perm", Ints{0, 1, 2, 3}}})});
    expectGone({makeNode("Pad", {"r", "p"}, {"a"})}, {{"p", makeList({0, 0, 0, 0, 0, 0, 0, 0})}});
    expectGone({makeNode("Reshape", {"r", "s"}, {"a"})}, {{"s", makeList({0, 0, -1, 6})}});
    expectGone({makeNode("Expand", {"r", "s"}, {"a"})}, {{"s", makeList({1, 1, 1, 1})}});
    expectGone({makeNode("Slice", {"r", "b", "e", "d"}, {"a"})},
               {{"b", makeList({0})}, {"e", makeList({6})}, {"d", makeList({2})}});
    expectGone({makeNode("Resize", {"r", "", "s"}, {"a"})}, {{"s", row({1, 1, 1, 1})}});
    expectGone({makeNode("Mul", {"one", "r"}, {"a"})}, {{"one", makeFloats({1, 1}, {1})}});
    expectGone({makeNode("Add", {"r", "zero"}, {"a"})}, {{"zero", makeFloats({}, {0})}});
    expectGone({makeNode("Div", {"r", "one"}, {"a"})}, {{"one", makeFloats({}, {1})}});
    expectGone({makeNode("Transpose", {"r"}, {"a"}, {{"perm", Ints{0, 2, 3, 1}}}),
                makeNode("Transpose", {"a"}, {"b"}, {{"perm", Ints{0, 3, 1, 2}}})});
    expectGone({makeNode("Unsqueeze", {"r", "d"}, {"a"}), makeNode("Squeeze", {"a", "d"}, {"b"})},
               {{"d", makeList({0})}});
}

TEST(Simplify, KeepsWhatOnlyLooksIdle) {
    const auto kept = [](const Node& n, const std::map<std::string, Tensor>& constants) {
        OnnxModel model = modelWith({n});
        model.graph.initializers.insert(constants.begin(), constants.end());
        simplified(model);
        return opsOf(model) == "Relu " + n.op;
    };
    EXPECT_TRUE(kept(makeNode("Slice", {"r", "b", "e", "d", "s"}, {"y"}),
                     {{"b", makeList({-1})},
                      {"e", makeList({std::numeric_limits<int64_t>::min()})},
                      {"d", makeList({3})},
                      {"s", makeList({-1})}}))
        << "reversal";
    EXPECT_TRUE(
        kept(makeNode("Pad", {"r", "p"}, {"y"}), {{"p", makeList({0, 0, 1, 0, 0, 0, -1, 0})}}))
        << "shift";
    EXPECT_TRUE(
        kept(makeNode("Mul", {"r", "one"}, {"y"}), {{"one", makeFloats({2, 1, 1, 1}, {1, 1})}}))
        << "repetition";
    EXPECT_TRUE(kept(makeNode("Sub", {"zero", "r"}, {"y"}), {{"zero", makeFloats({}, {0})}}))
        << "negation";
    EXPECT_TRUE(
        kept(makeNode("Gather", {"r", "i"}, {"y"}, {{"axis", int64_t(1)}}), {{"i", scalar(0)}}));
}

TEST(Simplify, SkipsExpandsBeforeArithmeticThatBroadcasts) {
    OnnxModel model = modelWith(
        {makeNode("ReduceMax", {"r"}, {"m"}, {{"axes", Ints{3}}, {"keepdims", int64_t(1)}}),
         makeNode("Expand", {"m", "s"}, {"e"}), makeNode("Div", {"r", "e"}, {"y"})});
    model.graph.initializers["s"] = makeList({1, 4, 6, 6});
    simplified(model);
    EXPECT_EQ(opsOf(model), "Relu ReduceMax Div");
    EXPECT_EQ(model.graph.nodes[2].inputs, (std::vector<std::string>{"r", "m"}));
}

TEST(Simplify, KeepsExpandsThatGiveTheResultItsShape) {
    OnnxModel model =
        modelWith({makeNode("Expand", {"r", "s"}, {"e"}), makeNode("Mul", {"e", "column"}, {"y"})});
    model.graph.initializers["s"] = makeList({3, 2, 4, 6, 6});
    model.graph.initializers["column"] = makeFloats({1, 1, 1, 6, 1}, {1, 2, 3, 4, 5, 6});
    simplified(model);
    EXPECT_EQ(opsOf(model), "Relu Expand Mul");
}

TEST(Simplify, KeepsNamesOfOutputs) {
    OnnxModel model =
        modelWith({makeNode("Sigmoid", {"r"}, {"s"}), makeNode("Identity", {"r"}, {"y"})});
    model.graph.outputs.push_back({"s", DataType::Float, false, {}});
    model.graph.outputs.push_back({"z", DataType::Float, false, {}});
    model.graph.outputs.push_back({"x_out", DataType::Float, false, {}});
    model.graph.nodes.push_back(makeNode("Identity", {"r"}, {"z"}));
    model.graph.nodes.push_back(makeNode("Identity", {"x"}, {"x_out"}));
    simplified(model);
    EXPECT_EQ(opsOf(model), "Relu Sigmoid Identity Identity");
    EXPECT_EQ(model.graph.nodes[0].outputs[0], "y");
    EXPECT_EQ(model.graph.nodes[1].inputs[0], "y");
    EXPECT_EQ(model.graph.nodes[1].outputs[0], "s");
    EXPECT_EQ(model.graph.nodes[2].inputs[0], "y");
    EXPECT_EQ(model.graph.nodes[2].outputs[0], "z");
    EXPECT_EQ(model.graph.nodes[3].inputs[0], "x");
}

TEST(Simplify, SpellsOutReshapes) {
    OnnxModel model =
        modelWith({makeNode("Flatten", {"r"}, {"f"}), makeNode("Unsqueeze", {"f", "d"}, {"u"}),
                   makeNode("Sigmoid", {"u"}, {"y"})});
    model.graph.initializers["d"] = makeList({1});
    simplified(model);
    EXPECT_EQ(opsOf(model), "Relu Reshape Sigmoid");
    const Node& reshape = model.graph.nodes[1];
    EXPECT_EQ(reshape.inputs[0], "r");
    EXPECT_EQ(model.graph.initializers.at(reshape.inputs[1]).ints(), (Ints{1, 1, 144}));
    EXPECT_TRUE(reshape.attributes.empty());
}

TEST(Simplify, SpellsOutSplits) {
    for (const int64_t opset : {11, 13, 18}) {
        Attributes attributes = {{"axis", int64_t(1)}};
        if (opset == 18)
            attributes["num_outputs"] = int64_t(2);
        OnnxModel model = modelWith(
            {makeNode("Split", {"r"}, {"a", "b"}, attributes), makeNode("Mul", {"a", "b"}, {"y"})},
            opset);
        simplified(model);
        const Node& split = model.graph.nodes.at(1);
        EXPECT_EQ(split.attributes.count("num_outputs"), 0u);
        if (opset == 11)
            EXPECT_EQ(split.intsAttr("split"), (Ints{2, 2}));
        else
            EXPECT_EQ(model.graph.initializers.at(split.inputs.at(1)).ints(), (Ints{2, 2}));
    }
}

TEST(Simplify, SpellsOutConvolutions) {
    OnnxModel model =
        modelWith({makeNode("Conv", {"r", "w"}, {"y"},
                            {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}})});
    model.graph.initializers["w"] = makeFloats({2, 4, 3, 3}, std::vector<float>(72, 0.5f));
    simplified(model);
    const Node& conv = model.graph.nodes.at(1);
    EXPECT_EQ(conv.intsAttr("kernel_shape"), (Ints{3, 3}));
    EXPECT_EQ(conv.intsAttr("pads"), (Ints{0, 0, 1, 1}));
    EXPECT_EQ(conv.intsAttr("dilations"), (Ints{1, 1}));
    EXPECT_EQ(conv.attributes.count("auto_pad"), 0u);
}

/// Conv 1x1 of 4 -> 2 channels and a BatchNormalization from "c" to "y".
OnnxModel normalisedModel() {
    OnnxModel model =
        modelWith({makeNode("Conv", {"r", "w"}, {"c"}),
                   makeNode("BatchNormalization", {"c", "gamma", "beta", "mean", "var"}, {"y"},
                            {{"epsilon", 0.25f}})});
    auto& constants = model.graph.initializers;
    constants["w"] = makeFloats({2, 4, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8});
    constants["gamma"] = row({2, 3});
    constants["beta"] = row({1, -1});
    constants["mean"] = row({0.5f, 4});
    constants["var"] = row({0.75f, 2});
    return model;
}

TEST(Simplify, FoldsBatchNormIntoConv) {
    OnnxModel model = normalisedModel();
    simplified(model);
    EXPECT_EQ(opsOf(model), "Relu Conv");
    const Node& conv = model.graph.nodes[1];
    EXPECT_EQ(conv.outputs[0], "y");
    // Scales 2 / sqrt(0.75 + 0.25) = 2 and 3 / sqrt(2 + 0.25) = 2; shifts 1 - 0.5 * 2, -1 - 4 * 2.
    EXPECT_EQ(model.graph.initializers.at(conv.inputs.at(1)).floats(),
              (std::vector<float>{2, 4, 6, 8, 10, 12, 14, 16}));
    EXPECT_EQ(model.graph.initializers.at(conv.inputs.at(2)).floats(), (std::vector<float>{0, -9}));
    EXPECT_EQ(model.graph.initializers.count("w"), 0u);
}

TEST(Simplify, LeavesBatchNormWhereTheConvIsUsedElsewhere) {
    OnnxModel shared = normalisedModel();
    shared.graph.nodes.back().outputs[0] = "n";
    shared.graph.nodes.push_back(makeNode("Add", {"n", "c"}, {"y"}));
    simplified(shared);
    EXPECT_EQ(opsOf(shared), "Relu Conv BatchNormalization Add");

    OnnxModel output = normalisedModel();
    output.graph.outputs.push_back({"c", DataType::Float, false, {}});
    simplified(output);
    EXPECT_EQ(opsOf(output), "Relu Conv BatchNormalization");
}

} // namespace
} // namespace irmb::test
