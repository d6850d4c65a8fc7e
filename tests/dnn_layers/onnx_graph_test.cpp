#include "onnx/graph.hpp"
#include "support/expect_words.hpp"
#include "support/graph_builder.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <cmath>
#include <cstring>
#include <limits>

using namespace irmb::onnx;
using irmb::test::expectWords;
using irmb::test::makeNode;
using irmb::test::makeValue;

namespace {

template <typename T>
Tensor tensorOf(DataType type, const std::vector<T>& values) {
    Tensor tensor;
    tensor.type = type;
    tensor.shape = {static_cast<int64_t>(values.size())};
    for (const T& value : values) {
        uint8_t bytes[sizeof(T)];
        std::memcpy(bytes, &value, sizeof(T));
        tensor.data.insert(tensor.data.end(), bytes, bytes + sizeof(T));
    }
    return tensor;
}

template <typename Function>
std::string messageOf(const Function& function) {
    try {
        function();
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return "nothing was thrown";
}

std::vector<std::string> opsOf(const Graph& graph) {
    std::vector<std::string> ops;
    for (const Node& node : graph.nodes)
        ops.push_back(node.op);
    return ops;
}

} // namespace

TEST(Tensor, ConvertsHalfPrecision) {
    // 1, -2, the largest half, the smallest subnormal, -0, one third rounded to half.
    const Tensor tensor =
        tensorOf<uint16_t>(DataType::Float16, {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x8000, 0x3555});
    const std::vector<float> expected = {1.f, -2.f, 65504.f, 5.9604645e-8f, -0.f, 0.33325195f};
    EXPECT_EQ(tensor.floats(), expected);
    EXPECT_TRUE(std::signbit(tensor.floats()[4]));
    const auto special = tensorOf<uint16_t>(DataType::Float16, {0x7C00, 0xFC00, 0x7E00}).floats();
    EXPECT_EQ(special[0], std::numeric_limits<float>::infinity());
    EXPECT_EQ(special[1], -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(std::isnan(special[2]));
}

TEST(Tensor, ConvertsBfloat16AndDouble) {
    EXPECT_EQ(tensorOf<uint16_t>(DataType::Bfloat16, {0x3F80, 0xC040}).floats(),
              (std::vector<float>{1.f, -3.f}));
    EXPECT_EQ(tensorOf<double>(DataType::Double, {0.5, -1e10}).doubles(),
              (std::vector<double>{0.5, -1e10}));
}

TEST(Tensor, ConvertsIntegers) {
    EXPECT_EQ(tensorOf<int8_t>(DataType::Int8, {-128, 127}).ints(),
              (std::vector<int64_t>{-128, 127}));
    EXPECT_EQ(tensorOf<uint8_t>(DataType::Uint8, {200}).floats(), (std::vector<float>{200.f}));
    EXPECT_EQ(tensorOf<uint8_t>(DataType::Bool, {0, 1, 2}).ints(), (std::vector<int64_t>{0, 1, 1}));
    const int64_t large = int64_t{1} << 40;
    EXPECT_EQ(tensorOf<int64_t>(DataType::Int64, {-large}).ints(), (std::vector<int64_t>{-large}));
}

TEST(Tensor, CutsFloatsToIntegersWithoutOverflow) {
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor tensor =
        tensorOf<float>(DataType::Float, {2.9f, -2.9f, infinity, -infinity, std::nanf("")});
    EXPECT_EQ(tensor.ints(), (std::vector<int64_t>{2, -2, std::numeric_limits<int64_t>::max(),
                                                   std::numeric_limits<int64_t>::min(), 0}));
}

TEST(Tensor, RefusesToConvertStrings) {
    Tensor tensor;
    tensor.type = DataType::String;
    expectWords(messageOf([&] { tensor.floats(); }), {"string"});
}

TEST(Shape, CountsElements) {
    EXPECT_EQ(elementCount({}), 1);
    EXPECT_EQ(elementCount({2, 3, 4}), 24);
    EXPECT_EQ(elementCount({5, 0, 7}), 0);
    expectWords(messageOf([] {
                    elementCount({int64_t{1} << 32, int64_t{1} << 32});
                }),
                {"too large"});
    expectWords(messageOf([] { elementCount({2, -1}); }), {"2x-1", "negative"});
}

TEST(Node, NamesAnAttributeOfTheWrongType) {
    const Node node = makeNode("Concat", {"a"}, {"b"}, {{"axis", 1.f}});
    expectWords(messageOf([&] { node.intAttr("axis", 0); }), {"b_node", "Concat", "axis"});
    EXPECT_EQ(node.intAttr("other", 7), 7);
}

TEST(Links, KnowsProducersAndConsumers) {
    Graph graph;
    graph.nodes = {makeNode("Relu", {"x"}, {"a"}), makeNode("Mul", {"a", "a"}, {"b"}),
                   makeNode("Add", {"a", "b"}, {"c"})};
    graph.outputs = {makeValue("c", {1})};
    const Links links(graph);
    EXPECT_EQ(links.producer("a"), 0);
    EXPECT_EQ(links.producer("x"), -1);
    EXPECT_EQ(links.consumers("a"), (std::vector<int>{1, 1, 2}));
    EXPECT_TRUE(links.consumers("c").empty());
    EXPECT_TRUE(links.isOutput("c"));
    EXPECT_FALSE(links.isOutput("b"));
}

TEST(Graph, DropsWhatNoOutputNeeds) {
    Graph graph;
    graph.nodes = {makeNode("Relu", {"x"}, {"a"}), makeNode("Add", {"a", "unused_weight"}, {"b"}),
                   makeNode("Mul", {"a", "weight"}, {"c"})};
    graph.initializers["weight"] = Tensor::scalar(1.f);
    graph.initializers["unused_weight"] = Tensor::scalar(2.f);
    graph.outputs = {makeValue("c", {1})};
    removeDead(graph);
    EXPECT_EQ(opsOf(graph), (std::vector<std::string>{"Relu", "Mul"}));
    EXPECT_EQ(graph.initializers.size(), 1u);
}

TEST(Graph, SortsAndKeepsTheOrderOfTheFileWherePossible) {
    Graph graph;
    graph.nodes = {makeNode("Add", {"b", "c"}, {"d"}), makeNode("Relu", {"x"}, {"c"}),
                   makeNode("Abs", {"x"}, {"b"})};
    sortNodes(graph);
    EXPECT_EQ(opsOf(graph), (std::vector<std::string>{"Relu", "Abs", "Add"}));
}

TEST(Graph, NamesACycle) {
    Graph graph;
    graph.nodes = {makeNode("Relu", {"x"}, {"a"}), makeNode("Add", {"a", "c"}, {"b"}),
                   makeNode("Abs", {"b"}, {"c"})};
    expectWords(messageOf([&] { sortNodes(graph); }), {"cycle", "b_node"});
}
