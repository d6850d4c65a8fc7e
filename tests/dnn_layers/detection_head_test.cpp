#include "onnx/file/io.hpp"
#include "onnx/fold/specialise.hpp"
#include "onnx/head/detection_head.hpp"
#include "support/expect_words.hpp"
#include "support/graph_builder.hpp"
#include "support/random_irmb.hpp"
#include "support/scratch_folder.hpp"

#include <irmb_dnn/detection.hpp>

#include <gtest/gtest.h>

using namespace irmb::onnx;
using irmb::HeadKind;
using irmb::ModelInfo;
using irmb::test::expectWords;
using irmb::test::makeModel;
using irmb::test::makeNode;
using irmb::test::makeRamp;
using irmb::test::makeValue;

namespace {

constexpr int64_t kClasses = 3;
constexpr int64_t kAnchors = 64;
constexpr int64_t kKeep = 5;

using Ints = std::vector<int64_t>;

/// A detector of 8x8 anchors on a 1x3x8x8 image. Its boxes are "boxes" [1, 4, 64], its scores
/// "scores" [1, 3, 64]; the caller adds the end.
OnnxModel makeDetector(bool corners, const Shape& output) {
    OnnxModel model = makeModel(makeValue("image", {1, 3, 8, 8}), makeValue("out", output));
    Graph& graph = model.graph;
    graph.initializers = {{"box_weight", makeRamp({4, 3, 1, 1}, 7)},
                          {"score_weight", makeRamp({kClasses, 3, 1, 1}, 11)},
                          {"score_bias", Tensor::fromFloats({kClasses}, {-1.f, 0.f, -2.f})},
                          {"anchors", makeRamp({1, 2, kAnchors}, 97)},
                          {"half", Tensor::scalar(0.5f)},
                          {"stride", makeRamp({1, kAnchors}, 3)},
                          {"flat_boxes", Tensor::fromInts({3}, {1, 4, kAnchors})},
                          {"flat_scores", Tensor::fromInts({3}, {1, kClasses, kAnchors})},
                          {"two_two", Tensor::fromInts({2}, {2, 2})}};
    graph.nodes = {makeNode("Conv", {"image", "box_weight"}, {"box_map"}),
                   makeNode("Reshape", {"box_map", "flat_boxes"}, {"sides"}),
                   makeNode("Split", {"sides", "two_two"}, {"lt", "rb"}, {{"axis", int64_t{1}}}),
                   makeNode("Sub", {"anchors", "lt"}, {"first"}),
                   makeNode("Add", {"anchors", "rb"}, {"last"})};
    if (corners) {
        graph.nodes.push_back(
            makeNode("Concat", {"first", "last"}, {"units"}, {{"axis", int64_t{1}}}));
    } else {
        graph.nodes.push_back(makeNode("Add", {"first", "last"}, {"sum"}));
        graph.nodes.push_back(makeNode("Mul", {"sum", "half"}, {"centre"}));
        graph.nodes.push_back(makeNode("Sub", {"last", "first"}, {"size"}));
        graph.nodes.push_back(
            makeNode("Concat", {"centre", "size"}, {"units"}, {{"axis", int64_t{1}}}));
    }
    for (const Node& node : {makeNode("Mul", {"units", "stride"}, {"boxes"}),
                             makeNode("Conv", {"image", "score_weight", "score_bias"}, {"logits"}),
                             makeNode("Reshape", {"logits", "flat_scores"}, {"flat_logits"}),
                             makeNode("Sigmoid", {"flat_logits"}, {"scores"})})
        graph.nodes.push_back(node);
    return model;
}

void addJoin(Graph& graph, const std::string& output) {
    graph.nodes.push_back(
        makeNode("Concat", {"boxes", "scores"}, {output}, {{"axis", int64_t{1}}}));
}

void addTranspose(Graph& graph, const std::string& input, const std::string& output) {
    graph.nodes.push_back(makeNode("Transpose", {input}, {output}, {{"perm", Ints{0, 2, 1}}}));
}

/// The tail on "anchor_boxes" [1, 64, 4] and "anchor_scores" [1, 64, 3].
void addTail(Graph& graph, int64_t modulus = kClasses) {
    graph.initializers["k"] = Tensor::fromInts({1}, {kKeep});
    graph.initializers["last_axis"] = Tensor::fromInts({1}, {-1});
    graph.initializers["four_times"] = Tensor::fromInts({3}, {1, 1, 4});
    graph.initializers["class_times"] = Tensor::fromInts({3}, {1, 1, kClasses});
    graph.initializers["classes"] = Tensor::fromInts({}, {modulus});
    const std::map<std::string, Attribute> axis1 = {{"axis", int64_t{1}}};
    for (const Node& node :
         {makeNode("ReduceMax", {"anchor_scores"}, {"best"},
                   {{"axes", Ints{-1}}, {"keepdims", int64_t{0}}}),
          makeNode("TopK", {"best", "k"}, {"best_values", "best_at"}),
          makeNode("Unsqueeze", {"best_at", "last_axis"}, {"best_column"}),
          makeNode("Tile", {"best_column", "four_times"}, {"box_index"}),
          makeNode("Tile", {"best_column", "class_times"}, {"score_index"}),
          makeNode("GatherElements", {"anchor_boxes", "box_index"}, {"best_boxes"}, axis1),
          makeNode("GatherElements", {"anchor_scores", "score_index"}, {"best_scores"}, axis1),
          makeNode("Flatten", {"best_scores"}, {"pairs"}, axis1),
          makeNode("TopK", {"pairs", "k"}, {"pair_values", "pair_at"}),
          makeNode("Mod", {"pair_at", "classes"}, {"label"}),
          makeNode("Div", {"pair_at", "classes"}, {"row"}),
          makeNode("Unsqueeze", {"row", "last_axis"}, {"row_column"}),
          makeNode("Tile", {"row_column", "four_times"}, {"row_index"}),
          makeNode("GatherElements", {"best_boxes", "row_index"}, {"kept_boxes"}, axis1),
          makeNode("Unsqueeze", {"pair_values", "last_axis"}, {"kept_scores"}),
          makeNode("Unsqueeze", {"label", "last_axis"}, {"label_column"}),
          makeNode("Cast", {"label_column"}, {"kept_labels"}, {{"to", int64_t{1}}}),
          makeNode("Concat", {"kept_boxes", "kept_scores", "kept_labels"}, {"out"},
                   {{"axis", int64_t{-1}}})})
        graph.nodes.push_back(node);
}

enum class Form {
    Joined,     ///< one tensor, transposed, then split, as THU and Ultralytics write it
    Sliced,     ///< the same with Slice for Split
    Transposed, ///< only the transposed tensor is there
    Apart       ///< boxes and scores never meet, as simplifiers leave them
};

OnnxModel makeEndToEnd(Form form) {
    OnnxModel model = makeDetector(true, {1, kKeep, 6});
    Graph& graph = model.graph;
    if (form == Form::Joined || form == Form::Sliced) {
        addJoin(graph, "head");
        addTranspose(graph, "head", "anchor_head");
    } else {
        addTranspose(graph, "boxes", "turned_boxes");
        addTranspose(graph, "scores", "turned_scores");
    }
    if (form == Form::Transposed)
        graph.nodes.push_back(makeNode("Concat", {"turned_boxes", "turned_scores"}, {"anchor_head"},
                                       {{"axis", int64_t{2}}}));
    if (form == Form::Apart) {
        graph.nodes.push_back(makeNode("Identity", {"turned_boxes"}, {"anchor_boxes"}));
        graph.nodes.push_back(makeNode("Identity", {"turned_scores"}, {"anchor_scores"}));
    } else if (form == Form::Sliced) {
        graph.initializers["zero"] = Tensor::fromInts({1}, {0});
        graph.initializers["four"] = Tensor::fromInts({1}, {4});
        graph.initializers["end"] = Tensor::fromInts({1}, {int64_t{1} << 62});
        graph.initializers["axis"] = Tensor::fromInts({1}, {2});
        graph.nodes.push_back(
            makeNode("Slice", {"anchor_head", "zero", "four", "axis"}, {"anchor_boxes"}));
        graph.nodes.push_back(
            makeNode("Slice", {"anchor_head", "four", "end", "axis"}, {"anchor_scores"}));
    } else {
        graph.initializers["parts"] = Tensor::fromInts({2}, {4, kClasses});
        graph.nodes.push_back(makeNode("Split", {"anchor_head", "parts"},
                                       {"anchor_boxes", "anchor_scores"}, {{"axis", int64_t{2}}}));
    }
    addTail(graph);
    sortNodes(graph);
    return model;
}

struct Analysis {
    ModelInfo info;
    std::vector<std::string> notes;
    OnnxModel model;
    Shape output;
};

Analysis analyse(OnnxModel model, bool cut = true) {
    sortNodes(model.graph);
    const ValueInfo input = model.graph.inputs.front();
    Facts facts = specialise(model, {{input.name, input.shape}});
    simplify(model, facts);
    Analysis analysis;
    analyseHead(model, facts, cut, analysis.info, analysis.notes);
    analysis.output = *facts.at(model.graph.outputs.front().name).shape;
    analysis.model = std::move(model);
    return analysis;
}

bool has(const Graph& graph, const char* op) {
    for (const Node& node : graph.nodes)
        if (node.is(op))
            return true;
    return false;
}

} // namespace

class NmsFreeTail : public testing::TestWithParam<Form> {};

TEST_P(NmsFreeTail, IsCut) {
    const Analysis analysis = analyse(makeEndToEnd(GetParam()));
    EXPECT_EQ(analysis.info.head, HeadKind::RawXyxy);
    EXPECT_TRUE(analysis.info.tail_cut);
    EXPECT_EQ(analysis.info.max_detections, kKeep);
    EXPECT_EQ(analysis.info.num_classes, kClasses);
    EXPECT_EQ(analysis.output, (Shape{1, 4 + kClasses, kAnchors}));
    EXPECT_FALSE(has(analysis.model.graph, "TopK"));
}

TEST_P(NmsFreeTail, IsKeptOnRequest) {
    const Analysis analysis = analyse(makeEndToEnd(GetParam()), false);
    EXPECT_EQ(analysis.info.head, HeadKind::EndToEnd);
    EXPECT_FALSE(analysis.info.tail_cut);
    EXPECT_EQ(analysis.info.num_classes, kClasses);
    EXPECT_EQ(analysis.output, (Shape{1, kKeep, 6}));
}

#if CV_VERSION_MAJOR >= 5
TEST_P(NmsFreeTail, GivesTheSameDetectionsWhenCut) {
    const vigil::test::ScratchFolder folder;
    const std::string path = folder.path("detector.onnx");
    save(makeEndToEnd(GetParam()), path);
    irmb::ReadOptions keep;
    keep.cut_tail = false;
    irmb::Model whole = irmb::readModel(path, keep);
    irmb::Model cut = irmb::readModel(path);
    ASSERT_TRUE(cut.info.tail_cut);
    cv::RNG rng(6);
    const cv::Mat image = irmb::test::randomMap({1, 3, 8, 8}, rng);
    whole.net.setInput(image);
    cut.net.setInput(image);
    const cv::Mat rows = irmb::endToEnd(cut.net.forward(), cut.info.max_detections);
    EXPECT_LE(irmb::test::maxDifference(whole.net.forward(), rows), 1e-5);
}
#endif

INSTANTIATE_TEST_SUITE_P(Forms, NmsFreeTail,
                         testing::Values(Form::Joined, Form::Sliced, Form::Transposed,
                                         Form::Apart));

TEST(DetectionHead, LeavesATailAloneThatPicksOtherClasses) {
    OnnxModel model = makeEndToEnd(Form::Joined);
    model.graph.initializers["classes"] = Tensor::fromInts({}, {kClasses + 1});
    const Analysis analysis = analyse(std::move(model));
    EXPECT_EQ(analysis.info.head, HeadKind::EndToEnd);
    EXPECT_FALSE(analysis.info.tail_cut);
}

TEST(DetectionHead, TellsCornersFromCentres) {
    for (const bool corners : {true, false}) {
        OnnxModel model = makeDetector(corners, {1, 7, kAnchors});
        addJoin(model.graph, "out");
        const Analysis analysis = analyse(std::move(model));
        EXPECT_EQ(analysis.info.head, corners ? HeadKind::RawXyxy : HeadKind::RawCxcywh);
        EXPECT_EQ(analysis.info.num_classes, kClasses);
        EXPECT_TRUE(analysis.notes.empty());
    }
}

TEST(DetectionHead, TurnsATransposedHead) {
    OnnxModel model = makeDetector(true, {1, kAnchors, 7});
    addJoin(model.graph, "head");
    addTranspose(model.graph, "head", "out");
    const Analysis analysis = analyse(std::move(model));
    EXPECT_EQ(analysis.info.head, HeadKind::RawXyxy);
    EXPECT_EQ(analysis.output, (Shape{1, 7, kAnchors}));
}

TEST(DetectionHead, KeepsTheOutputOfTheDetector) {
    OnnxModel model = makeDetector(true, {1, 7, kAnchors});
    addJoin(model.graph, "out");
    model.graph.outputs.insert(model.graph.outputs.begin(), makeValue("box_map", {1, 4, 8, 8}));
    const Analysis analysis = analyse(std::move(model));
    EXPECT_EQ(analysis.info.head, HeadKind::RawXyxy);
    ASSERT_EQ(analysis.model.graph.outputs.size(), 1u);
    ASSERT_EQ(analysis.notes.size(), 1u);
    expectWords(analysis.notes[0], {"2 outputs", "out"});
}

TEST(DetectionHead, KnowsWhatIsNone) {
    const auto kindOf = [](const Shape& image, const Shape& output) {
        OnnxModel model = makeModel(makeValue("image", image), makeValue("out", output));
        model.graph.initializers["zero"] = Tensor::scalar(0.f);
        model.graph.initializers["rows"] = makeRamp(output);
        model.graph.nodes = {makeNode("ReduceSum", {"image"}, {"sum"}, {{"keepdims", int64_t{0}}}),
                             makeNode("Mul", {"sum", "zero"}, {"nothing"}),
                             makeNode("Add", {"nothing", "rows"}, {"out"})};
        return analyse(std::move(model)).info.head;
    };
    EXPECT_EQ(kindOf({1, 3, 8, 8}, {1, 300, 6}), HeadKind::EndToEnd);
    EXPECT_EQ(kindOf({1, 3, 8, 8}, {1, 25200, 6}), HeadKind::None); // YOLOv5 with one class
    EXPECT_EQ(kindOf({1, 3, 8, 8}, {1, 300, 7}), HeadKind::None);
    EXPECT_EQ(kindOf({1, 3, 8, 8}, {1, 25200, 85}), HeadKind::None);
    EXPECT_EQ(kindOf({1, 3, 8, 8}, {1, 84, 2100}), HeadKind::RawCxcywh);
    EXPECT_EQ(kindOf({1, 3, 8, 8}, {1, 16, 8, 8}), HeadKind::None);
    EXPECT_EQ(kindOf({1, 1, 8, 8}, {1, 300, 6}), HeadKind::None); // grey input
    EXPECT_EQ(kindOf({1, 8, 8, 3}, {1, 300, 6}), HeadKind::None); // channels last
}
