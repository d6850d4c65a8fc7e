#include "cli/compare.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace vigil::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();
constexpr double tolerance = 0.01;

NpyArray reference(std::vector<int> shape, const std::vector<double>& values) {
    return {std::move(shape), cv::Mat(values, true).reshape(1, 1)};
}

cv::Mat blob(const std::vector<int>& shape, const std::vector<float>& values) {
    return cv::Mat(values, true).reshape(1, shape);
}

TEST(CompareElements, FindsLargestErrors) {
    const Comparison result = compareElements(blob({1, 4}, {1.f, -10.5f, 0.25f, 0.001f}),
                                              reference({1, 4}, {1, -10, 0.125, 0}));
    EXPECT_DOUBLE_EQ(result.max_abs_err, 0.5);
    EXPECT_DOUBLE_EQ(result.max_rel_err, 1.0); // of 0.125; the zero is left out
    EXPECT_DOUBLE_EQ(result.ref_abs_max, 10);
    EXPECT_FALSE(result.rows);
}

TEST(CompareElements, LeavesTinyReferencesOutOfTheRelativeError) {
    const Comparison result =
        compareElements(blob({1, 2}, {1000.f, 2e-3f}), reference({1, 2}, {1000, 1e-3}));
    EXPECT_EQ(result.max_rel_err, 0);
}

TEST(CompareElements, NonFiniteValuesEqualOnlyThemselves) {
    const NpyArray expected = reference({1, 4}, {nan, inf, -inf, 1});
    EXPECT_EQ(compareElements(blob({1, 4}, {nan, inf, -inf, 1}), expected).max_abs_err, 0);
    EXPECT_EQ(compareElements(blob({1, 4}, {nan, inf, -inf, 1}), expected).ref_abs_max, 1);
    EXPECT_EQ(compareElements(blob({1, 4}, {0, inf, -inf, 1}), expected).max_abs_err, inf);
    EXPECT_EQ(compareElements(blob({1, 4}, {nan, -inf, -inf, 1}), expected).max_abs_err, inf);
    EXPECT_EQ(compareElements(blob({1, 4}, {nan, inf, -inf, nan}), expected).max_rel_err, inf);
}

TEST(CompareRawHead, SplitsBoxesFromScores) {
    // [1, 4 + 1, 2]: two places, one class.
    const Comparison result =
        compareRawHead(blob({1, 5, 2}, {1, 2, 3, 4, 5, 6, 7.5f, 8, 0.25f, 0.5f}),
                       reference({1, 5, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 0.25, 0.75}));
    ASSERT_TRUE(result.rows);
    EXPECT_DOUBLE_EQ(result.rows->box_err_px, 0.5);
    EXPECT_DOUBLE_EQ(result.rows->score_err, 0.25);
    EXPECT_DOUBLE_EQ(result.max_abs_err, 0.5);
}

/// Rows of x1, y1, x2, y2, score, class.
using Rows = std::vector<std::vector<float>>;

Comparison compareRows(const Rows& actual, const Rows& expected) {
    std::vector<float> found;
    for (const auto& row : actual)
        found.insert(found.end(), row.begin(), row.end());
    std::vector<double> wanted;
    for (const auto& row : expected)
        wanted.insert(wanted.end(), row.begin(), row.end());
    return compareDetections(blob({1, static_cast<int>(actual.size()), 6}, found),
                             reference({1, static_cast<int>(expected.size()), 6}, wanted),
                             tolerance);
}

const std::vector<float> person = {10, 20, 30, 40, 0.9f, 0};
const std::vector<float> car = {50, 60, 90, 99, 0.8f, 2};
const std::vector<float> dog = {5, 6, 7, 8, 0.6f, 16};
const std::vector<float> nothing = {0, 0, 0, 0, 0, 0};

TEST(CompareDetections, OrderDoesNotMatter) {
    const Comparison result = compareRows({car, dog, person, nothing}, {person, car, dog, nothing});
    EXPECT_EQ(result.max_abs_err, 0);
    EXPECT_EQ(result.rows->compared, 3);
    EXPECT_EQ(result.rows->unmatched, 0);
    EXPECT_EQ(result.ref_abs_max, 99);
}

TEST(CompareDetections, ReportsBoxesAndScoresApart) {
    const Comparison result = compareRows({{10, 20, 30, 40.5f, 0.9f, 0}, car, nothing},
                                          {person, {50, 60, 90, 99, 0.775f, 2}, nothing});
    EXPECT_DOUBLE_EQ(result.rows->box_err_px, 0.5);
    EXPECT_NEAR(result.rows->score_err, 0.025, 1e-7);
    EXPECT_DOUBLE_EQ(result.max_abs_err, 0.5);
}

TEST(CompareDetections, AnotherClassIsNoPartner) {
    std::vector<float> bus = car;
    bus[5] = 5;
    const Comparison result = compareRows({person, bus, nothing}, {person, car, nothing});
    EXPECT_EQ(result.rows->unmatched, 2); // one of either side
    EXPECT_EQ(result.max_abs_err, inf);
    EXPECT_EQ(result.rows->compared, 1);
}

TEST(CompareDetections, PairsTheNearestOfSeveral) {
    const std::vector<float> near = {10, 20, 30, 41, 0.9f, 0};
    EXPECT_EQ(compareRows({near, person, nothing}, {person, near, nothing}).max_abs_err, 0);
}

TEST(CompareDetections, ARowWithoutPartnerTakesNoOthers) {
    // The first expected row is missing; the second must keep its exact partner.
    const std::vector<float> missing = {10, 20, 30, 45, 0.95f, 0};
    const std::vector<float> far = {200, 200, 300, 300, 0.5f, 0};
    const Comparison result = compareRows({person, far, nothing}, {missing, person, nothing});
    EXPECT_EQ(result.rows->compared, 2);
    EXPECT_NEAR(result.rows->box_err_px, 270, 1e-6);
}

TEST(CompareDetections, TiesForTheLastPlaceNeedNoPartner) {
    const std::vector<float> tied_a = {1, 1, 2, 2, 0.3f, 1};
    const std::vector<float> tied_b = {7, 7, 9, 9, 0.3000001f, 3};
    const Comparison result = compareRows({person, tied_a}, {person, tied_b});
    EXPECT_EQ(result.rows->unmatched, 0);
    EXPECT_EQ(result.rows->compared, 1);
    EXPECT_EQ(result.max_abs_err, 0);
}

TEST(CompareDetections, ARowAboveTheTieNeedsItsPartner) {
    const std::vector<float> extra = {1, 1, 2, 2, 0.4f, 1};
    const std::vector<float> last = {7, 7, 9, 9, 0.3f, 3};
    EXPECT_EQ(compareRows({person, extra, last}, {person, last, last}).rows->unmatched, 1);
}

TEST(CompareDetections, EqualScoresAreAllCompared) {
    const Comparison equal = compareRows({nothing, nothing}, {nothing, nothing});
    EXPECT_EQ(equal.rows->compared, 2);
    const Comparison different = compareRows({nothing, {0, 0, 0, 1, 0, 0}}, {nothing, nothing});
    EXPECT_EQ(different.max_abs_err, 1);
}

TEST(CompareDetections, NotANumberIsAnError) {
    const std::vector<float> broken = {10, 20, nan, 40, 0.9f, 0};
    EXPECT_EQ(compareRows({person, nothing}, {person, nothing}).max_abs_err, 0);
    EXPECT_EQ(compareRows({broken, nothing}, {person, nothing}).max_abs_err, inf);
    const std::vector<float> no_score = {10, 20, 30, 40, nan, 0};
    EXPECT_EQ(compareRows({no_score, nothing}, {person, nothing}).max_abs_err, inf);
}

TEST(CompareDetections, KeepsImagesApart) {
    const std::vector<float> values = {10, 20, 30, 40, 0.9f, 0, 50, 60, 90, 99, 0.8f, 2};
    const std::vector<double> swapped = {50, 60, 90, 99, 0.8f, 2, 10, 20, 30, 40, 0.9f, 0};
    const Comparison result =
        compareDetections(blob({2, 1, 6}, values), reference({2, 1, 6}, swapped), tolerance);
    EXPECT_EQ(result.rows->unmatched, 4);
}

} // namespace
} // namespace vigil::test
