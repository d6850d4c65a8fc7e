#include "layer/candidate_layer.hpp"
#include "onnx/file/io.hpp"
#include "onnx/fold/specialise.hpp"
#include "onnx/head/box_decoder.hpp"
#include "onnx/head/detection_head.hpp"
#include "onnx/irmb/fuse_irmb.hpp"
#include "onnx/opencv/keep_candidates.hpp"
#include "onnx/opencv/unmerge_pads.hpp"
#include "support/graph_builder.hpp"
#include "support/random_irmb.hpp"

#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>

#include <gtest/gtest.h>

/// Networks that end in their best candidates, on the CPU: the layer, how it gets into a graph, and
/// that the same is detected.
namespace irmb::test {
namespace {

using onnx::Facts;
using onnx::OnnxModel;
using onnx::Shape;
using onnx::Tensor;

constexpr int classes = 3;
constexpr int anchors = 40; ///< of two levels

/// How a detector writes the arithmetic of its boxes.
enum class Form {
    ScaledAtTheEnd, ///< concat(anchor - lt, anchor + rb) * stride, as exporters write it
    ScaledBefore,   ///< concat((anchor - lt) * stride, (anchor + rb) * stride)
    Divided,        ///< strides as divisors, distances doubled
    AnchorMajor,    ///< boxes and scores are joined as [B, N, 4 + classes]
    SharedSides,    ///< both corners are made of the same two distances
    ComputedAnchors ///< anchors depend on the picture
};

/// The tensor whose elements make one element of the boxes each.
std::string originOf(Form form) {
    return form == Form::SharedSides || form == Form::ComputedAnchors ? "units" : "sides";
}

void PrintTo(Form form, std::ostream* out) {
    *out << "form " << static_cast<int>(form);
}

/// A detector [B, 4 + classes, 40] whose distances are "sides" [B, 4, 40] and scores "scores", of
/// pictures [B, 3, 5, 8].
OnnxModel detector(Form form, int batch = 1) {
    const bool anchor_major = form == Form::AnchorMajor;
    const Shape output =
        anchor_major ? Shape{batch, anchors, 4 + classes} : Shape{batch, 4 + classes, anchors};
    OnnxModel model = makeModel(makeValue("image", {batch, 3, 5, 8}), makeValue("out", output));
    onnx::Graph& graph = model.graph;
    std::vector<float> strides;
    for (int i = 0; i < anchors; ++i)
        strides.push_back(i < 30 ? 8.f : 16.f);
    std::vector<float> inverse = strides;
    for (float& x : inverse)
        x = 1.f / x;
    graph.initializers = {{"box_weight", makeRamp({4, 3, 1, 1}, 7)},
                          {"score_weight", makeRamp({classes, 3, 1, 1}, 11)},
                          {"score_bias", makeFloats({classes}, {-1.f, 0.f, -2.f})},
                          {"anchors", makeRamp({1, 2, anchors}, 97)},
                          {"strides", makeFloats({1, anchors}, strides)},
                          {"inverse", makeFloats({1, anchors}, inverse)},
                          {"two", Tensor::scalar(2.f)},
                          {"flat_boxes", makeList({batch, 4, anchors})},
                          {"flat_scores", makeList({batch, classes, anchors})},
                          {"two_two", makeList({2, 2})}};
    const auto add = [&](const char* op, std::vector<std::string> inputs, const char* name) {
        graph.nodes.push_back(makeNode(op, std::move(inputs), {name}));
    };
    const auto join = [&](std::vector<std::string> inputs, const char* name, int64_t axis) {
        graph.nodes.push_back(makeNode("Concat", std::move(inputs), {name}, {{"axis", axis}}));
    };
    add("Conv", {"image", "box_weight"}, "box_map");
    add("Reshape", {"box_map", "flat_boxes"}, "sides");
    add("Mul", {"sides", "two"}, "twice");
    const char* distances = form == Form::Divided ? "twice" : "sides";
    graph.nodes.push_back(
        makeNode("Split", {distances, "two_two"}, {"lt", "rb"}, {{"axis", int64_t{1}}}));
    const char* centres = "anchors";
    if (form == Form::ComputedAnchors) {
        graph.nodes.push_back(
            makeNode("ReduceMean", {"image"}, {"mean"}, {{"keepdims", int64_t{0}}}));
        add("Mul", {"anchors", "mean"}, "computed");
        centres = "computed";
    }
    add("Sub", {centres, "lt"}, "first");
    add("Add", {centres, form == Form::SharedSides ? "lt" : "rb"}, "last");
    if (form == Form::ScaledBefore) {
        add("Mul", {"first", "strides"}, "first_px");
        add("Mul", {"strides", "last"}, "last_px");
        join({"first_px", "last_px"}, "boxes", 1);
    } else {
        join({"first", "last"}, "units", 1);
        add(form == Form::Divided ? "Div" : "Mul",
            {"units", form == Form::Divided ? "inverse" : "strides"}, "boxes");
    }
    add("Conv", {"image", "score_weight", "score_bias"}, "logits");
    add("Reshape", {"logits", "flat_scores"}, "flat_logits");
    add("Sigmoid", {"flat_logits"}, "scores");
    if (anchor_major) {
        for (const auto& [from, to] :
             {std::pair("boxes", "turned_boxes"), std::pair("scores", "turned_scores")})
            graph.nodes.push_back(
                makeNode("Transpose", {from}, {to}, {{"perm", std::vector<int64_t>{0, 2, 1}}}));
        join({"turned_boxes", "turned_scores"}, "out", 2);
    } else {
        join({"boxes", "scores"}, "out", 1);
    }
    return model;
}

/// A detector as readModel() has it before it goes to OpenCV.
struct Prepared {
    OnnxModel model;
    Facts facts;
    ModelInfo info;
};

Prepared prepared(OnnxModel model) {
    Prepared result;
    onnx::sortNodes(model.graph);
    const onnx::ValueInfo input = model.graph.inputs.front();
    result.facts = onnx::specialise(model, {{input.name, input.shape}});
    onnx::simplify(model, result.facts);
    onnx::unmergePointwisePads(model, result.facts);
    onnx::fuseIrmbs(model, result.facts, true);
    onnx::unmergeDepthwisePads(model, result.facts);
    std::vector<std::string> notes;
    onnx::analyseHead(model, result.facts, true, result.info, notes);
    result.model = std::move(model);
    return result;
}

cv::Mat outputOf(const OnnxModel& model, const cv::Mat& image) {
    registerLayers();
    const std::vector<uint8_t> bytes = onnx::serialize(model);
    const char* first = reinterpret_cast<const char*>(bytes.data());
#if CV_VERSION_MAJOR >= 5
    cv::dnn::Net net = cv::dnn::readNetFromONNX(first, bytes.size(), cv::dnn::ENGINE_CLASSIC);
#else
    cv::dnn::Net net = cv::dnn::readNetFromONNX(first, bytes.size());
#endif
    net.setInput(image);
    return net.forward().clone();
}

cv::Mat imageOf(const cv::Mat& batch, int image) {
    const std::vector<int> shape = {1, batch.size[1], batch.size[2]};
    return cv::Mat(shape, CV_32F, const_cast<float*>(batch.ptr<float>(image)));
}

class CandidateForms : public testing::TestWithParam<Form> {};

TEST_P(CandidateForms, AreThoseOfTheWholeHead) {
    for (const int batch : {1, 2})
        for (const int most : {1, 7, 1000}) {
            Prepared whole = prepared(detector(GetParam(), batch));
            ASSERT_EQ(whole.info.head, HeadKind::RawXyxy);
            Prepared cut = whole;
            const int keep = std::min(most, anchors);
            ASSERT_EQ(onnx::keepCandidates(cut.model, cut.facts, most), keep);
            cv::RNG rng(most);
            const cv::Mat image = randomMap({batch, 3, 5, 8}, rng);
            const cv::Mat head = outputOf(whole.model, image);
            const cv::Mat rows = addedParts(outputOf(cut.model, image));
            ASSERT_EQ(std::vector<int>(rows.size.p, rows.size.p + rows.dims),
                      (std::vector<int>{batch, keep, 6}));
            for (int i = 0; i < batch; ++i)
                EXPECT_LE(maxDifference(imageOf(rows, i), endToEnd(imageOf(head, i), keep)), 1e-4);
        }
}

/// The distances go into the layer, where it can compute the boxes of them, so that no box passes
/// through half precision.
TEST_P(CandidateForms, TakeThePlaceOfTheBoxes) {
    Prepared cut = prepared(detector(GetParam()));
    ASSERT_GT(onnx::keepCandidates(cut.model, cut.facts, 5), 0);
    const onnx::Node& last = cut.model.graph.nodes.back();
    EXPECT_EQ(last.op, candidate_op);
    EXPECT_EQ(last.inputs[0], originOf(GetParam()));
    EXPECT_EQ(last.inputs[1], "scores");
    EXPECT_EQ(cut.model.graph.outputs[0].shape, (Shape{1, 2, 5, 6}));
}

INSTANTIATE_TEST_SUITE_P(, CandidateForms,
                         testing::Values(Form::ScaledAtTheEnd, Form::ScaledBefore, Form::Divided,
                                         Form::AnchorMajor, Form::SharedSides,
                                         Form::ComputedAnchors));

/// Boxes that come out of an operator that is not linear.
TEST(Candidates, LeaveOtherHeads) {
    OnnxModel model = detector(Form::ScaledAtTheEnd);
    for (onnx::Node& node : model.graph.nodes)
        if (node.is("Concat"))
            std::replace(node.inputs.begin(), node.inputs.end(), std::string("boxes"),
                         std::string("positive"));
    model.graph.nodes.push_back(makeNode("Relu", {"boxes"}, {"positive"}));
    Prepared other = prepared(std::move(model));
    const std::size_t nodes = other.model.graph.nodes.size();
    EXPECT_EQ(onnx::keepCandidates(other.model, other.facts, 5), 0);
    EXPECT_EQ(other.model.graph.nodes.size(), nodes);
    EXPECT_EQ(other.model.graph.outputs[0].name, "out");
}

TEST(Candidates, LeaveNetworksOfOtherOutputs) {
    Prepared two = prepared(detector(Form::ScaledAtTheEnd));
    two.model.graph.outputs.push_back(makeValue("scores", {1, classes, anchors}));
    EXPECT_EQ(onnx::keepCandidates(two.model, two.facts, 5), 0);
    Prepared flat = prepared(detector(Form::ScaledAtTheEnd));
    flat.model.graph.outputs[0].shape = {1, 4, anchors};
    EXPECT_EQ(onnx::keepCandidates(flat.model, flat.facts, 5), 0);
}

TEST(BoxDecoder, KnowsOffsetsAndFactors) {
    const Prepared plain = prepared(detector(Form::ScaledAtTheEnd));
    const auto decoder = onnx::findBoxDecoder(plain.model, plain.facts, "boxes");
    ASSERT_TRUE(decoder);
    EXPECT_EQ(decoder->distances, "sides");
    ASSERT_EQ(decoder->offsets.size(), std::size_t{4} * anchors);
    const std::vector<float> centres = plain.model.graph.initializers.at("anchors").floats();
    for (int side = 0; side < 4; ++side)
        for (int anchor = 0; anchor < anchors; ++anchor) {
            const auto place = static_cast<std::size_t>(side * anchors + anchor);
            const float stride = anchor < 30 ? 8.f : 16.f;
            const auto centre = static_cast<std::size_t>(side % 2 * anchors + anchor);
            EXPECT_FLOAT_EQ(decoder->offsets[place], centres[centre] * stride);
            EXPECT_NEAR(decoder->factors[place], side < 2 ? -stride : stride, 1e-4f);
        }
}

/// A whole head of 400 anchors, some of them with boxes outside of the picture. Scores are of
/// `levels` values; 0: of any.
cv::Mat randomHead(int levels, cv::RNG& rng) {
    cv::Mat head(std::vector<int>{1, 4 + classes, 400}, CV_32F);
    for (int i = 0; i < 400; ++i) {
        const float x = rng.uniform(-60.f, 160.f);
        const float y = rng.uniform(-60.f, 160.f);
        const float corners[] = {x, y, x + rng.uniform(1.f, 50.f), y + rng.uniform(1.f, 50.f)};
        for (int side = 0; side < 4; ++side)
            head.ptr<float>(0, side)[i] = corners[side];
        for (int c = 0; c < classes; ++c)
            head.ptr<float>(0, 4 + c)[i] =
                levels > 0 ? static_cast<float>(rng.uniform(0, levels)) / static_cast<float>(levels)
                           : rng.uniform(0.f, 1.f);
    }
    return head;
}

void expectSame(const std::vector<Detection>& found, const std::vector<Detection>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].class_id, expected[i].class_id);
        EXPECT_EQ(found[i].score, expected[i].score);
        EXPECT_EQ(found[i].box, expected[i].box);
    }
}

/// What is detected in the rows is what is detected in the head: at any confidence and limit, with
/// and without suppression of doubles.
TEST(Candidates, GiveTheSameDetections) {
    cv::RNG rng(8);
    const Letterbox box = Letterbox::fit({100, 100}, {100, 100});
    for (int i = 0; i < 20; ++i) {
        const cv::Mat head = randomHead(50 * (i % 2), rng);
        const cv::Mat rows = endToEnd(head, 300);
        for (const int limit : {1, 40, 300})
            for (const float confidence : {0.f, 0.5f, 0.98f})
                for (const float iou : {0.f, 0.4f}) {
                    DecodeOptions options;
                    options.confidence = confidence;
                    options.max_detections = limit;
                    options.nms_iou = iou;
                    expectSame(decode(rows, HeadKind::EndToEnd, box, options),
                               decode(head, HeadKind::RawXyxy, box, options));
                }
    }
}

/// The same of some classes, as long as the rows hold all pairs of the confidence. Scores differ:
/// which of two equal ones comes first depends on the other classes, too.
TEST(Candidates, GiveTheSameDetectionsOfSomeClasses) {
    cv::RNG rng(9);
    const Letterbox box = Letterbox::fit({100, 100}, {100, 100});
    DecodeOptions options;
    options.confidence = 0.8f;
    for (int i = 0; i < 20; ++i) {
        const cv::Mat head = randomHead(0, rng);
        const cv::Mat rows = endToEnd(head, 350);
        ASSERT_LT(rows.ptr<float>(0, 349)[4], options.confidence);
        for (const std::vector<int>& asked : {std::vector<int>{1}, std::vector<int>{2, 0}})
            for (const int limit : {5, 300}) {
                options.classes = asked;
                options.max_detections = limit;
                expectSame(decode(rows, HeadKind::EndToEnd, box, options),
                           decode(head, HeadKind::RawXyxy, box, options));
            }
    }
}

std::string golden(const std::string& name) {
    return VIGIL_TEST_DIR "/../golden/" + name + "/model.onnx";
}

class CandidatesOfDetectors : public testing::TestWithParam<const char*> {};

TEST_P(CandidatesOfDetectors, AreThoseOfTheWholeHead) {
    Prepared whole = prepared(onnx::load(golden(GetParam())));
    ASSERT_EQ(whole.info.head, HeadKind::RawXyxy);
    Prepared cut = whole;
    constexpr int keep = 80;
    ASSERT_EQ(onnx::keepCandidates(cut.model, cut.facts, keep), keep);
    const Shape& shape = whole.model.graph.inputs[0].shape;
    cv::RNG rng(4);
    const cv::Mat image = randomMap({shape.begin(), shape.end()}, rng);
    const cv::Mat expected = endToEnd(outputOf(whole.model, image), keep);
    EXPECT_LE(maxDifference(addedParts(outputOf(cut.model, image)), expected), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(, CandidatesOfDetectors,
                         testing::Values("yolo_raw", "yolo_end2end_slim", "yolo_c2f_end2end_ts2",
                                         "yolo_without_irmb"));

/// Detectors as they are read for CUDA, run by OpenCV's CPU layers and ours.
TEST(Candidates, WholeModelsDetectTheSame) {
    if (!hasCudaLayer())
        GTEST_SKIP() << "there is no CUDA layer";
    for (const char* name : {"yolo_raw", "yolo_end2end_slim", "yolo_without_irmb"}) {
        ReadOptions options;
        options.engine = Engine::Classic;
        options.for_cuda = true;
        Model whole = readModel(golden(name), options);
        options.candidates_only = true;
        Model cut = readModel(golden(name), options);
        const int keep = whole.info.output_shape.at(2); // of so few anchors all
        ASSERT_EQ(cut.candidates, keep);
        EXPECT_EQ(cut.info.head, HeadKind::EndToEnd);
        EXPECT_EQ(cut.info.output_shape, (std::vector<int>{1, keep, 6}));
        cv::Mat picture(96, 128, CV_8UC3);
        cv::RNG(4).fill(picture, cv::RNG::UNIFORM, 0, 256);
        DecodeOptions decoding;
        decoding.confidence = 0;
        decoding.max_detections = 80;
        const auto expected = detect(whole, picture, decoding);
        const auto found = detect(cut, picture, decoding);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_EQ(found[i].class_id, expected[i].class_id);
            EXPECT_NEAR(found[i].score, expected[i].score, 1e-6);
            EXPECT_NEAR(found[i].box.x, expected[i].box.x, 1e-3);
            EXPECT_NEAR(found[i].box.br().y, expected[i].box.br().y, 1e-3);
        }
    }
}

/// Without the CUDA layer, and on the CPU, nothing changes.
TEST(Candidates, AreForCudaAlone) {
    ReadOptions options;
    options.candidates_only = true;
    const Model model = readModel(golden("yolo_raw"), options);
    EXPECT_EQ(model.candidates, 0);
    EXPECT_EQ(model.info.head, HeadKind::RawXyxy);
    if (hasCudaLayer())
        return;
    options.for_cuda = true;
    options.engine = Engine::Classic;
    EXPECT_EQ(readModel(golden("yolo_raw"), options).candidates, 0);
}

TEST(Candidates, LayerRefusesWhatItCannotKeep) {
    registerLayers();
    cv::dnn::LayerParams params;
    EXPECT_THROW(CandidateLayer::create(params), cv::Exception);
    params.set("keep", 5);
    const auto layer = CandidateLayer::create(params);
    std::vector<MatShape> out;
    std::vector<MatShape> internals;
    const auto shapes = [&](const cv::Vec3i& distances, const cv::Vec3i& scores) {
        const auto shapeOf = [](const cv::Vec3i& v) { return MatShape{v[0], v[1], v[2]}; };
        return layer->getMemoryShapes({shapeOf(distances), shapeOf(scores)}, 1, out, internals);
    };
    EXPECT_NO_THROW(shapes({1, 4, 5}, {1, 2, 5}));
    EXPECT_THROW(shapes({1, 4, 4}, {1, 2, 4}), cv::Exception);
    EXPECT_THROW(shapes({1, 5, 9}, {1, 2, 9}), cv::Exception);
    EXPECT_THROW(shapes({1, 4, 9}, {1, 2, 8}), cv::Exception);
    EXPECT_THROW(shapes({2, 4, 9}, {1, 2, 9}), cv::Exception);
}

} // namespace
} // namespace irmb::test
