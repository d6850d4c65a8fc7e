#include "onnx/fold/specialise.hpp"
#include "onnx/opencv/refuse_hazards.hpp"
#include "support/expect_words.hpp"
#include "support/graph_builder.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

namespace irmb::test {
namespace {

using namespace irmb::onnx;
using Constants = std::map<std::string, Tensor>;

/// Whether nodes that make "y" from "x" of [2, 20] can be given to OpenCV.
bool isSafe(std::vector<Node> nodes, const Constants& constants) {
    OnnxModel model = makeEmptyModel(17);
    model.graph.inputs.push_back(makeValue("x", {2, 20}));
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes = std::move(nodes);
    model.graph.initializers = constants;
    const Facts facts = specialise(model, {});
    try {
        refuseHazards(model, facts);
    } catch (const cv::Exception& error) {
        EXPECT_EQ(error.code, cv::Error::StsOutOfRange);
        expectWords(error.err, {"y_node", "without this node"});
        return false;
    }
    return true;
}

Node castToInt() {
    return makeNode("Cast", {"x"}, {"whole"}, {{"to", static_cast<int64_t>(DataType::Int64)}});
}

Node topFive() {
    return makeNode("TopK", {"x", "five"}, {"values", "places"}, {{"axis", int64_t(-1)}});
}

Node gatherOf(const std::string& data, const std::string& indices) {
    return makeNode("GatherElements", {data, indices}, {"y"}, {{"axis", int64_t(1)}});
}

const Constants kNumbers = {{"zero", makeList({0})},    {"one", makeList({1})},
                            {"two", makeList({2})},     {"minus_one", makeList({-1})},
                            {"five", makeList({5})},    {"mixed", makeInts({2, 1}, {-3, 3})},
                            {"four", makeInts({}, {4})}};

TEST(RefuseHazards, IntegersAreDividedByConstantsOnly) {
    for (const char* op : {"Div", "Mod"}) {
        const auto divided = [&](const char* by) {
            return isSafe({castToInt(), makeNode(op, {"whole", by}, {"y"})}, kNumbers);
        };
        EXPECT_TRUE(divided("two")) << op;
        EXPECT_FALSE(divided("zero")) << op;
        EXPECT_FALSE(divided("minus_one")) << op << ": the lowest integer leaves its type";
        EXPECT_FALSE(divided("mixed")) << op << ": 0 lies between";
        EXPECT_FALSE(divided("whole")) << op;
    }
    EXPECT_TRUE(isSafe({makeNode("Div", {"x", "x"}, {"y"})}, {})) << "0 / 0 is NaN";
}

TEST(RefuseHazards, ADivisionByZeroOfConstantsIsRefusedToo) {
    EXPECT_FALSE(isSafe({makeNode("Div", {"five", "zero"}, {"y"})}, kNumbers));
}

TEST(RefuseHazards, IndicesOfAnInputAreBounded) {
    EXPECT_TRUE(isSafe({topFive(), gatherOf("x", "places")}, kNumbers));
    EXPECT_FALSE(isSafe({castToInt(), gatherOf("x", "whole")}, kNumbers));
    EXPECT_FALSE(isSafe({topFive(), gatherOf("values", "places")}, kNumbers))
        << "places among 20 of 5";
}

TEST(RefuseHazards, ArithmeticOnIndicesIsFollowed) {
    const auto gathers = [](const Node& arithmetic, const char* data) {
        return isSafe({topFive(), arithmetic, gatherOf(data, "result")}, kNumbers);
    };
    EXPECT_TRUE(gathers(makeNode("Div", {"places", "four"}, {"result"}), "values")) << "0 to 4";
    EXPECT_FALSE(gathers(makeNode("Div", {"places", "two"}, {"result"}), "values"));
    EXPECT_TRUE(gathers(makeNode("Mod", {"places", "five"}, {"result"}), "values"));
    EXPECT_TRUE(gathers(makeNode("Mul", {"places", "minus_one"}, {"result"}), "x"));
    EXPECT_FALSE(gathers(makeNode("Mul", {"places", "two"}, {"result"}), "x"));
    EXPECT_FALSE(gathers(makeNode("Add", {"places", "one"}, {"result"}), "x"));
}

TEST(RefuseHazards, ConstantIndicesAreChecked) {
    const auto gathers = [](std::vector<int64_t> indices) {
        return isSafe({gatherOf("x", "indices")}, {{"indices", makeInts({2, 1}, indices)}});
    };
    EXPECT_TRUE(gathers({19, -20}));
    EXPECT_FALSE(gathers({20, 0}));
    EXPECT_FALSE(gathers({0, -21}));
}

TEST(RefuseHazards, EachEntryOfATupleHasItsAxis) {
    const auto gathers = [](std::vector<int64_t> tuple) {
        return isSafe({makeNode("GatherND", {"x", "tuple"}, {"y"})},
                      {{"tuple", makeInts({1, 2}, tuple)}});
    };
    EXPECT_TRUE(gathers({1, 19}));
    EXPECT_FALSE(gathers({19, 1}));
    EXPECT_FALSE(gathers({1, -1})) << "OpenCV reads in front of the data";

    const auto joins = [](const char* first, const char* second) {
        return isSafe({topFive(), makeNode("Unsqueeze", {"places", "two"}, {"column"}),
                       makeNode("Concat", {first, second}, {"tuple"}, {{"axis", int64_t(2)}}),
                       makeNode("GatherND", {"x", "tuple"}, {"y"})},
                      {{"two", makeList({2})},
                       {"five", makeList({5})},
                       {"image", makeInts({2, 5, 1}, {0, 0, 0, 0, 0, 1, 1, 1, 1, 1})}});
    };
    EXPECT_TRUE(joins("image", "column"));
    EXPECT_FALSE(joins("column", "image"));
}

} // namespace
} // namespace irmb::test
