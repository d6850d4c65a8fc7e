#include "onnx/file/io.hpp"
#include "onnx/fold/specialise.hpp"
#include "support/graph_builder.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <algorithm>
#include <cstdlib>

namespace irmb::test {
namespace {

using namespace irmb::onnx;
Tensor scalar(int64_t value) {
    return makeInts({}, {value});
}

Tensor row(const std::vector<float>& values) {
    return makeFloats({static_cast<int64_t>(values.size())}, values);
}

int countOf(const OnnxModel& model, const std::string& op) {
    return static_cast<int>(std::count_if(model.graph.nodes.begin(), model.graph.nodes.end(),
                                          [&](const Node& n) { return n.is(op.c_str()); }));
}

std::string complaint(OnnxModel model, const std::map<std::string, Shape>& shapes) {
    try {
        specialise(model, shapes);
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return "";
}

/// Pads the width to a multiple of 7 and cuts it into windows, all of it computed in the graph, as
/// exports with live shape arithmetic do.
OnnxModel windowedModel(Shape input) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", std::move(input)));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    auto& constants = model.graph.initializers;
    constants["seven"] = scalar(7);
    constants["three"] = scalar(3);
    constants["zeros"] = makeList({0, 0, 0, 0, 0, 0, 0});
    constants["sides"] = makeList({0, 0, 0, -1});
    constants["first"] = makeList({0});
    constants["end"] = makeList({7});
    model.graph.nodes = {
        makeNode("Shape", {"x"}, {"shape"}),
        makeNode("Gather", {"shape", "three"}, {"width"}),
        makeNode("Mod", {"width", "seven"}, {"over"}),
        makeNode("Sub", {"seven", "over"}, {"lack"}),
        makeNode("Mod", {"lack", "seven"}, {"pad"}),
        makeNode("Unsqueeze", {"pad", "first"}, {"pad_list"}),
        makeNode("Concat", {"zeros", "pad_list"}, {"pads"}, {{"axis", int64_t(0)}}),
        makeNode("Pad", {"x", "pads"}, {"padded"}),
        makeNode("Concat", {"sides", "end"}, {"target"}, {{"axis", int64_t(0)}}),
        makeNode("Reshape", {"padded", "target"}, {"y"}),
    };
    return model;
}

TEST(Specialise, FoldsShapeArithmetic) {
    OnnxModel model = windowedModel({1, 2, 5, -1});
    const Facts facts = specialise(model, {{"x", {1, 2, 5, 17}}});
    ASSERT_EQ(model.graph.nodes.size(), 2u);
    EXPECT_TRUE(model.graph.nodes[0].is("Pad"));
    EXPECT_EQ(model.graph.initializers.at("pads").ints(),
              (std::vector<int64_t>{0, 0, 0, 0, 0, 0, 0, 4}));
    EXPECT_EQ(*facts.at("padded").shape, (Shape{1, 2, 5, 21}));
    EXPECT_EQ(*facts.at("y").shape, (Shape{1, 2, 5, 3, 7}));
    EXPECT_EQ(model.graph.outputs[0].shape, (Shape{1, 2, 5, 3, 7}));
    EXPECT_EQ(model.graph.inputs[0].shape, (Shape{1, 2, 5, 17}));
    EXPECT_EQ(facts.count("shape"), 0u) << "dropped tensors have no facts";
    EXPECT_EQ(model.graph.initializers.count("seven"), 0u);
}

TEST(Specialise, ConstantNodesBecomeInitializers) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", {2}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes = {
        makeNode("Constant", {}, {"a"}, {{"value", row({1, 2})}}),
        makeNode("Constant", {}, {"b"}, {{"value_float", 3.f}}),
        makeNode("Constant", {}, {"c"}, {{"value_ints", std::vector<int64_t>{4, 5}}}),
        makeNode("Cast", {"c"}, {"d"}, {{"to", int64_t(1)}}),
        makeNode("Sum", {"x", "a", "b", "d"}, {"y"}),
    };
    specialise(model, {{"x", {2}}});
    ASSERT_EQ(model.graph.nodes.size(), 1u);
    EXPECT_EQ(model.graph.initializers.at("a").floats(), (std::vector<float>{1, 2}));
    EXPECT_EQ(model.graph.initializers.at("b").shape, Shape{});
    EXPECT_EQ(model.graph.initializers.at("d").floats(), (std::vector<float>{4, 5}));
}

TEST(Specialise, TellsWhenAnExportIsStaticForAnotherSize) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("images", {1, 3, 8, 8}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.initializers["target"] = makeList({1, 3, 64});
    model.graph.nodes = {makeNode("Reshape", {"images", "target"}, {"y"})};
    EXPECT_EQ(complaint(model, {{"images", {1, 3, 8, 8}}}), "");
    EXPECT_EQ(complaint(model, {{"images", {1, 3, 4, 4}}}),
              "node 'y_node' (Reshape): cannot turn 1x3x4x4 into 1x3x64; the export is static "
              "for 1x3x8x8 of input 'images': use that size or export it again for 1x3x4x4");
    model.graph.inputs[0].shape = {1, 3, -1, -1};
    EXPECT_EQ(complaint(model, {{"images", {1, 3, 4, 4}}}),
              "node 'y_node' (Reshape): cannot turn 1x3x4x4 into 1x3x64; the export is static "
              "for another size than 1x3x4x4 of input 'images': export it again at this size");
    model.graph.inputs[0].shape = {1, 3, 4, 4};
    EXPECT_EQ(complaint(model, {}), "node 'y_node' (Reshape): cannot turn 1x3x4x4 into 1x3x64; "
                                    "export or copy the model again");
}

TEST(Specialise, RefusesInputShapesThatMakeNoSense) {
    const OnnxModel model = windowedModel({1, 2, 5, -1});
    EXPECT_NE(complaint(model, {}), "") << "the width is open";
    EXPECT_NE(complaint(model, {{"x", {1, 2, 5}}}), "");
    EXPECT_NE(complaint(model, {{"x", {1, 2, 5, 0}}}), "");
    EXPECT_NE(complaint(model, {{"x", {1, 2, 5, int64_t(1) << 40}}}), "");
}

TEST(Specialise, LeavesUnknownOperatorsAlone) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", {2}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes = {makeNode("Mystery", {"x"}, {"m"}), makeNode("Shape", {"m"}, {"s"}),
                         makeNode("Reshape", {"x", "s"}, {"y"})};
    const Facts facts = specialise(model, {{"x", {2}}});
    EXPECT_EQ(model.graph.nodes.size(), 3u);
    EXPECT_FALSE(facts.at("y").shape);
}

TEST(Specialise, KeepsNodesThatProduceOutputs) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.initializers["a"] = makeList({1});
    model.graph.nodes = {makeNode("Add", {"a", "a"}, {"y"})};
    specialise(model, {});
    ASSERT_EQ(model.graph.nodes.size(), 1u);
    EXPECT_EQ(model.graph.outputs[0].type, DataType::Int64);
}

TEST(Specialise, BoundsTheWorkOfAHostileFile) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", {1}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.initializers["big"] = makeList({1 << 20});
    std::vector<std::string> all = {"x"};
    for (int i = 0; i < 100; ++i) {
        const std::string name = "c" + std::to_string(i);
        model.graph.nodes.push_back(makeNode("ConstantOfShape", {"big"}, {name}));
        all.push_back(name);
    }
    model.graph.nodes.push_back(makeNode("Sum", all, {"y"}));
    specialise(model, {{"x", {1}}});
    EXPECT_EQ(countOf(model, "ConstantOfShape"), 100 - 8) << "8 Mi elements in all";
}

TEST(Specialise, ComputesMoreForAFileThatHoldsMore) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", {1}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.initializers["table"] = makeRamp({1 << 20});
    std::vector<std::string> all = {"x"};
    for (int i = 0; i < 20; ++i) {
        const std::string name = "n" + std::to_string(i);
        model.graph.nodes.push_back(makeNode("Neg", {"table"}, {name}));
        all.push_back(name);
    }
    model.graph.nodes.push_back(makeNode("Sum", all, {"y"}));
    specialise(model, {{"x", {1}}});
    EXPECT_EQ(countOf(model, "Neg"), 20 - 12) << "8 Mi elements and 4 for each one stored";
}

TEST(Specialise, RawExportOfARealModel) {
    const char* data = std::getenv("VIGIL_TEST_DATA");
    if (!data)
        GTEST_SKIP() << "SKIPPED: set VIGIL_TEST_DATA to the folder that holds models/";
    OnnxModel model = load(std::string(data) + "/models/yolov10n_irmb_coco_raw.onnx");
    Facts facts = specialise(model, {{"images", {1, 3, 640, 640}}});
    simplify(model, facts);
    for (const Node& n : model.graph.nodes)
        for (const std::string& output : n.outputs)
            EXPECT_TRUE(facts.at(output).shape) << output;
    for (const char* op : {"Shape", "Mod", "ConstantOfShape", "Cast", "Constant", "Unsqueeze"})
        EXPECT_EQ(countOf(model, op), 0) << op;
    EXPECT_EQ(countOf(model, "Pad"), 3);
    EXPECT_EQ(model.graph.outputs[0].shape, (Shape{1, 84, 8400}));
}

} // namespace
} // namespace irmb::test
