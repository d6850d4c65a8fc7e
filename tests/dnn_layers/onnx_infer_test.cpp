#include "onnx/fold/specialise.hpp"
#include "support/graph_builder.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace irmb::test {
namespace {

using namespace irmb::onnx;
using Attributes = std::map<std::string, Attribute>;

Tensor row(const std::vector<float>& values) {
    return makeFloats({static_cast<int64_t>(values.size())}, values);
}

using Ints = std::vector<int64_t>;

/// An input of a node under test: a tensor known by its shape alone, or a constant.
struct Given {
    Given(std::initializer_list<int64_t> sides) : shape(sides) {}
    Given(Tensor tensor) : constant(std::move(tensor)) {}
    Shape shape;
    std::optional<Tensor> constant;
};

/// Facts of the outputs of `tested`, whose inputs are added here.
std::vector<TensorFact> factsOf(Node tested, const std::vector<Given>& inputs, int64_t opset) {
    OnnxModel model = makeEmptyModel(opset);
    for (const Given& input : inputs) {
        tested.inputs.push_back("in" + std::to_string(tested.inputs.size()));
        if (input.constant)
            model.graph.initializers[tested.inputs.back()] = *input.constant;
        else
            model.graph.inputs.push_back(makeValue(tested.inputs.back(), input.shape));
    }
    model.graph.nodes.push_back(tested);
    const Facts facts = inferFacts(model);
    std::vector<TensorFact> result;
    for (const std::string& output : tested.outputs)
        result.push_back(facts.at(output));
    return result;
}

TensorFact factOf(const std::string& op, const std::vector<Given>& inputs,
                  const Attributes& attributes = {}, int64_t opset = 17) {
    return factsOf(makeNode(op, {}, {"y"}, attributes), inputs, opset).front();
}

Shape shapeOf(const std::string& op, const std::vector<Given>& inputs,
              const Attributes& attributes = {}, int64_t opset = 17) {
    const TensorFact fact = factOf(op, inputs, attributes, opset);
    EXPECT_TRUE(fact.shape) << op << " has no shape";
    return fact.shape.value_or(Shape{-1});
}

std::string complaint(const std::string& op, const std::vector<Given>& inputs,
                      const Attributes& attributes = {}) {
    try {
        factOf(op, inputs, attributes);
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return "";
}

TEST(Infer, ElementwiseBroadcasts) {
    EXPECT_EQ(shapeOf("Add", {{2, 1, 4}, {3, 1}}), (Shape{2, 3, 4}));
    EXPECT_EQ(shapeOf("Where", {{1, 4}, {3, 1}, {2, 1, 1}}), (Shape{2, 3, 4}));
    EXPECT_EQ(factOf("Less", {{2}, {2}}).type, DataType::Bool);
    EXPECT_EQ(factOf("Cast", {{2}}, {{"to", int64_t(7)}}).type, DataType::Int64);
}

TEST(Infer, ClashesNameNodeAndShapes) {
    EXPECT_EQ(complaint("Add", {{2, 3}, {4}}),
              "node 'y_node' (Add): shapes 2x3 and 4 do not fit each other");
    EXPECT_EQ(complaint("MatMul", {{2, 3}, {4, 5}}),
              "node 'y_node' (MatMul): cannot multiply 2x3 by 4x5");
    EXPECT_EQ(complaint("Conv", {{1, 3, 8, 8}, {4, 2, 3, 3}}),
              "node 'y_node' (Conv): weights of 4x2x3x3 in 1 group(s) do not fit an input of "
              "1x3x8x8");
    EXPECT_EQ(complaint("Reshape", {{2, 3}, makeList({4, 2})}),
              "node 'y_node' (Reshape): cannot turn 2x3 into 4x2");
}

TEST(Infer, Convolution) {
    EXPECT_EQ(shapeOf("Conv", {{1, 3, 640, 480}, {16, 3, 3, 3}},
                      {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}),
              (Shape{1, 16, 320, 240}));
    EXPECT_EQ(shapeOf("Conv", {{1, 8, 9, 9}, {8, 1, 3, 3}},
                      {{"group", int64_t(8)}, {"dilations", Ints{2, 2}}}),
              (Shape{1, 8, 5, 5}));
    EXPECT_EQ(shapeOf("Conv", {{1, 3, 5, 6}, {4, 3, 3, 3}},
                      {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}),
              (Shape{1, 4, 3, 3}));
    EXPECT_EQ(shapeOf("ConvTranspose", {{1, 4, 5, 5}, {4, 6, 2, 2}}, {{"strides", Ints{2, 2}}}),
              (Shape{1, 6, 10, 10}));
    EXPECT_NE(complaint("Conv", {{1, 3, 2, 2}, {4, 3, 3, 3}}), "");
    EXPECT_NE(complaint("Conv", {{1, 3, 8, 8}, {4, 3, 3, 3}}, {{"strides", Ints{0, 1}}}), "");
    EXPECT_NE(complaint("Conv", {{1, 3, 8, 8}, {4, 3, 3, 3}}, {{"group", int64_t(0)}}), "");
}

TEST(Infer, Pooling) {
    const Attributes two = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
    EXPECT_EQ(shapeOf("MaxPool", {{1, 3, 7, 7}}, two), (Shape{1, 3, 3, 3}));
    Attributes ceil = two;
    ceil["ceil_mode"] = int64_t(1);
    EXPECT_EQ(shapeOf("MaxPool", {{1, 3, 7, 7}}, ceil), (Shape{1, 3, 4, 4}));
    // The last window of a rounded-up pooling would lie in the right padding alone.
    EXPECT_EQ(shapeOf("MaxPool", {{1, 1, 3, 3}},
                      {{"kernel_shape", Ints{1, 1}},
                       {"strides", Ints{2, 2}},
                       {"pads", Ints{0, 0, 1, 1}},
                       {"ceil_mode", int64_t(1)}}),
              (Shape{1, 1, 2, 2}));
    EXPECT_EQ(shapeOf("GlobalAveragePool", {{2, 5, 7, 3}}), (Shape{2, 5, 1, 1}));
}

TEST(Infer, Resize) {
    const Tensor none = row({});
    EXPECT_EQ(shapeOf("Resize", {{1, 8, 20, 21}, none, row({1, 1, 2, 2})}), (Shape{1, 8, 40, 42}));
    EXPECT_EQ(shapeOf("Resize", {{1, 8, 5, 5}, none, row({1, 1, 1.5f, 1.5f})}),
              (Shape{1, 8, 7, 7}));
    EXPECT_EQ(shapeOf("Resize", {{1, 8, 5, 5}, none, none, makeList({1, 8, 9, 4})}),
              (Shape{1, 8, 9, 4}));
    EXPECT_EQ(
        shapeOf("Resize", {{1, 8, 10, 20}, none, none, makeList({5, 40})},
                {{"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", std::string("not_larger")}},
                18),
        (Shape{1, 8, 5, 10}));
}

TEST(Infer, MatrixProducts) {
    EXPECT_EQ(shapeOf("MatMul", {{5, 1, 2, 3}, {4, 3, 6}}), (Shape{5, 4, 2, 6}));
    EXPECT_EQ(shapeOf("MatMul", {{3}, {4, 3, 6}}), (Shape{4, 6}));
    EXPECT_EQ(shapeOf("MatMul", {{2, 3}, {3}}), (Shape{2}));
    EXPECT_EQ(
        shapeOf("Gemm", {{3, 2}, {5, 3}, {5}}, {{"transA", int64_t(1)}, {"transB", int64_t(1)}}),
        (Shape{2, 5}));
    EXPECT_EQ(shapeOf("Einsum", {{2, 4, 5, 8}, {2, 4, 6, 8}},
                      {{"equation", std::string("bhid, bhjd -> bhij")}}),
              (Shape{2, 4, 5, 6}));
}

TEST(Infer, Reshape) {
    EXPECT_EQ(shapeOf("Reshape", {{2, 3, 4}, makeList({0, -1})}), (Shape{2, 12}));
    EXPECT_EQ(shapeOf("Reshape", {{2, 3, 4}, makeList({4, 0, -1})}), (Shape{4, 3, 2}));
    EXPECT_NE(complaint("Reshape", {{2, 3}, makeList({0, 3})}, {{"allowzero", int64_t(1)}}), "");
    EXPECT_NE(complaint("Reshape", {{2, 3}, makeList({-1, -1})}), "");
    EXPECT_NE(complaint("Reshape", {{2, 3}, makeList({-1, 4})}), "");
    EXPECT_NE(complaint("Reshape", {{2, 3}, makeList({-7, 6})}), "");
}

TEST(Infer, AxesAsAttributeOrInput) {
    EXPECT_EQ(shapeOf("Squeeze", {{1, 3, 1}}, {{"axes", Ints{-1}}}, 11), (Shape{1, 3}));
    EXPECT_EQ(shapeOf("Squeeze", {{1, 3, 1}, makeList({0})}), (Shape{3, 1}));
    EXPECT_EQ(shapeOf("Squeeze", {{1, 3, 1}}), (Shape{3}));
    EXPECT_EQ(shapeOf("Unsqueeze", {{3}}, {{"axes", Ints{0, 2}}}, 11), (Shape{1, 3, 1}));
    EXPECT_EQ(shapeOf("Unsqueeze", {{3}, makeList({-1})}), (Shape{3, 1}));
    EXPECT_EQ(shapeOf("ReduceMean", {{2, 3, 4}}, {{"axes", Ints{1, 2}}}), (Shape{2, 1, 1}));
    EXPECT_EQ(shapeOf("ReduceMean", {{2, 3, 4}, makeList({-1})}, {{"keepdims", int64_t(0)}}, 18),
              (Shape{2, 3}));
    EXPECT_EQ(shapeOf("ReduceSum", {{2, 3}, makeList({})}, {{"noop_with_empty_axes", int64_t(1)}}),
              (Shape{2, 3}));
    EXPECT_NE(complaint("Squeeze", {{2, 3}, makeList({0})}), "");
    EXPECT_NE(complaint("ReduceSum", {{2, 3}, makeList({2})}), "");
    EXPECT_NE(complaint("ReduceSum", {{2, 3}, makeList({1, -1})}), "");
}

TEST(Infer, Movement) {
    EXPECT_EQ(shapeOf("Flatten", {{2, 3, 4}}, {{"axis", int64_t(3)}}), (Shape{24, 1}));
    EXPECT_EQ(shapeOf("Expand", {{3, 1}, makeList({2, 1, 4})}), (Shape{2, 3, 4}));
    EXPECT_EQ(shapeOf("Tile", {{2, 3}, makeList({1, 4})}), (Shape{2, 12}));
    EXPECT_EQ(shapeOf("Transpose", {{2, 3, 4}}, {{"perm", Ints{1, 2, 0}}}), (Shape{3, 4, 2}));
    EXPECT_EQ(shapeOf("Concat", {{2, 3}, {2, 5}}, {{"axis", int64_t(-1)}}), (Shape{2, 8}));
    EXPECT_EQ(shapeOf("Pad", {{2, 3}, makeList({1, 0, 0, 2})}), (Shape{3, 5}));
    EXPECT_EQ(shapeOf("Pad", {{2, 3}, makeList({1, 2}), row({0}), makeList({-1})}, {}, 18),
              (Shape{2, 6}));
    EXPECT_EQ(shapeOf("Slice", {{5, 9}, makeList({-3}), makeList({100}), makeList({1})}),
              (Shape{5, 3}));
    EXPECT_NE(complaint("Pad", {{2, 3}, makeList({1, 2})}), "");
    EXPECT_NE(complaint("Concat", {{2, 3}, {3, 3}}, {{"axis", int64_t(1)}}), "");
    EXPECT_NE(complaint("Transpose", {{2, 3}}, {{"perm", Ints{0, 0}}}), "");
}

TEST(Infer, Indexing) {
    EXPECT_EQ(shapeOf("Gather", {{5, 6, 7}, {2, 3}}, {{"axis", int64_t(1)}}), (Shape{5, 2, 3, 7}));
    EXPECT_EQ(shapeOf("GatherElements", {{5, 6}, {2, 6}}), (Shape{2, 6}));
    EXPECT_EQ(shapeOf("GatherND", {{5, 6, 7}, {4, 2}}), (Shape{4, 7}));
    EXPECT_EQ(shapeOf("TopK", {{1, 8400}, makeList({300})}), (Shape{1, 300}));
    EXPECT_EQ(shapeOf("ArgMax", {{2, 3}}, {{"axis", int64_t(1)}, {"keepdims", int64_t(0)}}),
              (Shape{2}));
    EXPECT_NE(complaint("TopK", {{1, 100}, makeList({300})}), "");
}

TEST(Infer, SplitsOfAllOpsets) {
    const auto parts = [](const std::vector<Given>& inputs, Attributes attributes, int64_t opset) {
        attributes["axis"] = int64_t(1);
        std::vector<int64_t> sizes;
        for (const TensorFact& fact :
             factsOf(makeNode("Split", {}, {"a", "b"}, attributes), inputs, opset))
            sizes.push_back(fact.shape.value().at(1));
        return sizes;
    };
    EXPECT_EQ(parts({{1, 8}}, {}, 13), (Ints{4, 4}));
    EXPECT_EQ(parts({{1, 8}}, {{"split", Ints{3, 5}}}, 11), (Ints{3, 5}));
    EXPECT_EQ(parts({{1, 8}, makeList({2, 6})}, {}, 13), (Ints{2, 6}));
    EXPECT_EQ(parts({{1, 7}}, {{"num_outputs", int64_t(2)}}, 18), (Ints{4, 3}));
    EXPECT_THROW(parts({{1, 7}}, {}, 13), cv::Exception);
    EXPECT_THROW(parts({{1, 8}, makeList({2, 5})}, {}, 13), cv::Exception);
    EXPECT_THROW(parts({{1, 8}, makeList({9, -1})}, {}, 13), cv::Exception);
}

TEST(Infer, SpaceAndDepth) {
    EXPECT_EQ(shapeOf("SpaceToDepth", {{1, 3, 8, 6}}, {{"blocksize", int64_t(2)}}),
              (Shape{1, 12, 4, 3}));
    EXPECT_EQ(shapeOf("DepthToSpace", {{1, 12, 4, 3}}, {{"blocksize", int64_t(2)}}),
              (Shape{1, 3, 8, 6}));
    EXPECT_NE(complaint("DepthToSpace", {{1, 3, 4, 3}}, {{"blocksize", int64_t(0)}}), "");
}

TEST(Infer, UnknownOperatorsGiveUnknownFacts) {
    EXPECT_FALSE(factOf("NoSuchOp", {{2, 3}}).shape);
    EXPECT_FALSE(factOf("NonZero", {{2, 3}}).shape);
    EXPECT_FALSE(factOf("Reshape", {{2, 3}, {2}}).shape) << "the target is known at run time only";
}

TEST(Infer, CustomNode) {
    const auto shape = [](Attributes attributes) {
        Node irmb = makeNode("iRMB", {}, {"y"}, std::move(attributes));
        irmb.domain = "irmb";
        return factsOf(irmb, {{2, 16, 13, 17}}, 17).front().shape.value();
    };
    EXPECT_EQ(shape({}), (Shape{2, 16, 13, 17}));
    EXPECT_EQ(shape({{"dim_out", int64_t(24)}, {"has_skip", int64_t(0)}}), (Shape{2, 24, 13, 17}));
    EXPECT_EQ(shape({{"stride", int64_t(2)}, {"dw_ks", int64_t(3)}}), (Shape{2, 16, 7, 9}));
    EXPECT_EQ(shape({{"part", std::string("attention")}, {"dim_mid", int64_t(32)}}),
              (Shape{2, 32, 13, 17}));
}

} // namespace
} // namespace irmb::test
