#include "eval/coco_data.hpp"
#include "eval/evaluator.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace vigil::test {
namespace {

using Json = nlohmann::json;

const std::string folder = VIGIL_TEST_DIR "/eval/";

Json expectedScores() {
    std::ifstream stream(folder + "expected.json");
    return Json::parse(stream);
}

Evaluation evaluateFixtures(double confidence) {
    const LabelledData data = openCoco(folder + "annotations.json", folder);
    const Detections found = readCocoResults(folder + "detections.json", data);
    Evaluator evaluator(static_cast<int>(data.classes.size()), confidence);
    for (std::size_t i = 0; i < data.images.size(); ++i)
        evaluator.addImage(objectsInPixels(data.images[i], data.images[i].size), found[i]);
    return evaluator.result();
}

void expectValue(const std::optional<double>& actual, const Json& expected) {
    ASSERT_EQ(actual.has_value(), !expected.is_null());
    if (actual) {
        EXPECT_NEAR(*actual, expected.get<double>(), 1e-9);
    }
}

/// The figures are those of pycocotools on the same files; tools/coco_fixtures.py made them.
TEST(Evaluator, AgreesWithPycocotools) {
    const Json expected = expectedScores();
    const Evaluation evaluation = evaluateFixtures(0.25);
    expectValue(evaluation.all.ap50, expected["ap50"]);
    expectValue(evaluation.all.ap50_95, expected["ap50_95"]);
    ASSERT_EQ(evaluation.classes.size(), expected["classes"].size());
    for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
        SCOPED_TRACE(expected["classes"][i]["id"].dump());
        expectValue(evaluation.classes[i].ap50, expected["classes"][i]["ap50"]);
        expectValue(evaluation.classes[i].ap50_95, expected["classes"][i]["ap50_95"]);
    }
}

TEST(Evaluator, CountsAsPycocotoolsMatches) {
    const Json expected = expectedScores();
    for (std::size_t k = 0; k < expected["confidences"].size(); ++k) {
        const Evaluation evaluation = evaluateFixtures(expected["confidences"][k]);
        for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
            const Json& counts = expected["classes"][i]["counts"][k];
            EXPECT_EQ(evaluation.classes[i].true_positives, counts[0]) << k << ' ' << i;
            EXPECT_EQ(evaluation.classes[i].false_positives, counts[1]) << k << ' ' << i;
        }
    }
}

/// Two objects of three are found, with one false alarm between them: at the recalls 0 to 1/3 the
/// precision is 1, up to 2/3 it is 2/3, then 0.
TEST(Evaluator, ByHand) {
    Evaluator evaluator(1, 0.5);
    evaluator.addImage(
        {{0, {0, 0, 10, 10}}, {0, {50, 50, 10, 10}}, {0, {80, 0, 10, 10}}},
        {{0, 0.4, {50, 50, 10, 10}}, {0, 0.9, {0, 0, 10, 10}}, {0, 0.6, {20, 20, 5, 5}}});
    const Scores scores = evaluator.result().all;
    EXPECT_EQ(scores.objects, 3);
    EXPECT_NEAR(*scores.ap50, (34 * 1.0 + 33 * 2 / 3.0) / 101, 1e-12);
    EXPECT_DOUBLE_EQ(*scores.ap50_95, *scores.ap50);
    EXPECT_DOUBLE_EQ(*scores.precision(), 0.5);
    EXPECT_DOUBLE_EQ(*scores.recall(), 1 / 3.0);
}

TEST(Evaluator, LooserBoxesCountAtLooserThresholds) {
    Evaluator evaluator(1, 0.25);
    evaluator.addImage({{0, {0, 0, 10, 10}}}, {{0, 0.5, {0, 0, 10, 7.7}}}); // IoU 0.77
    const Scores scores = evaluator.result().all;
    EXPECT_DOUBLE_EQ(*scores.ap50, 1);
    EXPECT_NEAR(*scores.ap50_95, 0.6, 1e-12);
}

TEST(Evaluator, CrowdsCountNeitherWay) {
    Evaluator evaluator(1, 0.25);
    evaluator.addImage(
        {{0, {0, 0, 100, 100}, true}, {0, {200, 0, 10, 10}}},
        {{0, 0.9, {5, 5, 10, 10}}, {0, 0.8, {20, 5, 10, 10}}, {0, 0.7, {200, 0, 10, 10}}});
    const Scores scores = evaluator.result().all;
    EXPECT_EQ(scores.objects, 1);
    EXPECT_EQ(scores.false_positives, 0);
    EXPECT_DOUBLE_EQ(*scores.ap50, 1);
}

TEST(Evaluator, NothingToFindIsNotZero) {
    Evaluator evaluator(2, 0.25);
    evaluator.addImage({}, {{1, 0.9, {0, 0, 1, 1}}});
    const Evaluation evaluation = evaluator.result();
    EXPECT_FALSE(evaluation.all.ap50);
    EXPECT_FALSE(evaluation.classes[0].precision());
    EXPECT_DOUBLE_EQ(*evaluation.classes[1].precision(), 0);
    EXPECT_FALSE(evaluation.all.recall());
}

} // namespace
} // namespace vigil::test
