#include "support/expect_words.hpp"

#include <irmb_dnn/detection.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

using irmb::DecodeOptions;
using irmb::Detection;
using irmb::HeadKind;
using irmb::Letterbox;
using irmb::test::expectWords;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// [1, 4 + nc, N] from one column an anchor.
cv::Mat rawOutput(const std::vector<std::vector<float>>& anchors) {
    const int rows = static_cast<int>(anchors.front().size());
    const int sizes[] = {1, rows, static_cast<int>(anchors.size())};
    cv::Mat output(3, sizes, CV_32F);
    for (int row = 0; row < rows; ++row)
        for (int i = 0; i < sizes[2]; ++i)
            output.ptr<float>(0, row)[i] =
                anchors[static_cast<std::size_t>(i)][static_cast<std::size_t>(row)];
    return output;
}

/// [1, K, 6] from its rows.
cv::Mat rowsOutput(const std::vector<std::vector<float>>& rows) {
    const int sizes[] = {1, static_cast<int>(rows.size()), static_cast<int>(rows.front().size())};
    cv::Mat output(3, sizes, CV_32F);
    for (int i = 0; i < sizes[1]; ++i)
        std::copy(rows[static_cast<std::size_t>(i)].begin(),
                  rows[static_cast<std::size_t>(i)].end(), output.ptr<float>(0, i));
    return output;
}

Letterbox plain() {
    return Letterbox::fit({100, 100}, {100, 100});
}

std::string faultOf(const cv::Mat& output, HeadKind head, int image = 0) {
    try {
        irmb::decode(output, head, plain(), {}, image);
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return "nothing was thrown";
}

/// YOLOv10's tail, step by step as its Python source has it, with stable sorting.
std::vector<std::vector<float>> tailByHand(const cv::Mat& raw, int keep) {
    const int classes = raw.size[1] - 4;
    const int anchors = raw.size[2];
    const auto at = [&](int row, int anchor) { return raw.ptr<float>(0, row)[anchor]; };
    std::vector<int> order(static_cast<std::size_t>(anchors));
    std::iota(order.begin(), order.end(), 0);
    const auto best = [&](int anchor) {
        float top = at(4, anchor);
        for (int c = 1; c < classes; ++c)
            top = std::max(top, at(4 + c, anchor));
        return top;
    };
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return best(a) > best(b); });
    order.resize(static_cast<std::size_t>(keep));
    std::vector<std::vector<float>> pairs;
    for (const int anchor : order)
        for (int c = 0; c < classes; ++c)
            pairs.push_back({at(0, anchor), at(1, anchor), at(2, anchor), at(3, anchor),
                             at(4 + c, anchor), static_cast<float>(c)});
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const auto& a, const auto& b) { return a[4] > b[4]; });
    pairs.resize(static_cast<std::size_t>(keep));
    return pairs;
}

} // namespace

TEST(Letterbox, PlacesAWideImage) {
    // 640 / 768 = 0.8333; 576 * 0.8333 = 480; (640 - 480) / 2 = 80.
    const Letterbox box = Letterbox::fit({768, 576}, {640, 640});
    EXPECT_FLOAT_EQ(box.scale, 640.f / 768.f);
    EXPECT_EQ(box.resized, cv::Size(640, 480));
    EXPECT_EQ(box.left, 0);
    EXPECT_EQ(box.top, 80);
}

TEST(Letterbox, RoundsAsUltralytics) {
    // 427 * 640 / 640 = 427 columns: 213 to share, round(106.4) = 106 go to the left.
    const Letterbox odd = Letterbox::fit({427, 640}, {640, 640});
    EXPECT_EQ(odd.resized, cv::Size(427, 640));
    EXPECT_EQ(odd.left, 106);
    // 5 * 0.5 = 2.5 and 7 * 0.5 = 3.5: halves go to the even neighbour, 2 and 4.
    EXPECT_EQ(Letterbox::fit({5, 8}, {4, 4}).resized, cv::Size(2, 4));
    EXPECT_EQ(Letterbox::fit({8, 7}, {4, 4}).resized, cv::Size(4, 4));
    // Enlarged as well: 33 -> 64 is 1.939, 20 * 1.939 = 38.79 -> 39; 25 to share, round(12.4) = 12.
    const Letterbox larger = Letterbox::fit({33, 20}, {64, 64});
    EXPECT_EQ(larger.resized, cv::Size(64, 39));
    EXPECT_EQ(larger.top, 12);
}

TEST(Letterbox, KeepsAtLeastOnePixel) {
    const Letterbox thin = Letterbox::fit({10000, 1}, {640, 640});
    EXPECT_EQ(thin.resized, cv::Size(640, 1));
    EXPECT_EQ(thin.top, 319); // round(319.5 - 0.1)
    cv::Mat padded;
    irmb::applyLetterbox(cv::Mat(1, 10000, CV_8UC3, cv::Scalar(1, 2, 3)), thin, padded);
    EXPECT_EQ(padded.at<cv::Vec3b>(319, 5), cv::Vec3b(1, 2, 3));
    EXPECT_EQ(padded.at<cv::Vec3b>(320, 5), cv::Vec3b(114, 114, 114));
}

TEST(Letterbox, RefusesEmptySizes) {
    EXPECT_THROW(Letterbox::fit({0, 5}, {640, 640}), cv::Exception);
    EXPECT_THROW(Letterbox::fit({5, 5}, {640, 0}), cv::Exception);
}

TEST(Letterbox, MapsBoxesBackAndClips) {
    const Letterbox box = Letterbox::fit({768, 576}, {640, 640});
    const cv::Rect2f inside = box.toSource(100.f, 180.f, 200.f, 280.f);
    EXPECT_FLOAT_EQ(inside.x, 120.f);
    EXPECT_FLOAT_EQ(inside.y, 120.f);
    EXPECT_FLOAT_EQ(inside.width, 120.f);
    EXPECT_FLOAT_EQ(inside.height, 120.f);
    const cv::Rect2f clipped = box.toSource(-50.f, 0.f, 700.f, 640.f);
    EXPECT_EQ(clipped, cv::Rect2f(0.f, 0.f, 768.f, 576.f));
}

TEST(Letterbox, FillsWithGreyAndKeepsThePicture) {
    const cv::Mat image(2, 4, CV_8UC3, cv::Scalar(10, 20, 30));
    cv::Mat padded;
    irmb::applyLetterbox(image, Letterbox::fit({4, 2}, {4, 4}), padded);
    for (int x = 0; x < 4; ++x) {
        EXPECT_EQ(padded.at<cv::Vec3b>(0, x), cv::Vec3b(114, 114, 114));
        EXPECT_EQ(padded.at<cv::Vec3b>(1, x), cv::Vec3b(10, 20, 30));
        EXPECT_EQ(padded.at<cv::Vec3b>(2, x), cv::Vec3b(10, 20, 30));
        EXPECT_EQ(padded.at<cv::Vec3b>(3, x), cv::Vec3b(114, 114, 114));
    }
}

TEST(MakeBlob, WritesPlanesOfRgb) {
    const cv::Mat colour(2, 2, CV_8UC3, cv::Scalar(0, 51, 255));
    const cv::Mat alpha(2, 2, CV_8UC4, cv::Scalar(0, 51, 255, 7));
    const cv::Mat grey(2, 2, CV_8UC1, cv::Scalar(102));
    cv::Mat blob;
    const auto boxes = irmb::makeBlob({colour, alpha, grey}, {2, 2}, blob);
    ASSERT_EQ(boxes.size(), 3u);
    ASSERT_EQ(blob.dims, 4);
    const float expected[3][3] = {{1.f, 0.2f, 0.f}, {1.f, 0.2f, 0.f}, {0.4f, 0.4f, 0.4f}};
    for (int image = 0; image < 3; ++image)
        for (int plane = 0; plane < 3; ++plane)
            for (int i = 0; i < 4; ++i)
                EXPECT_FLOAT_EQ(blob.ptr<float>(image, plane)[i], expected[image][plane]);
}

TEST(MakeBlob, RefusesWhatItCannotRead) {
    cv::Mat blob;
    EXPECT_THROW(irmb::makeBlob({}, {2, 2}, blob), cv::Exception);
    EXPECT_THROW(irmb::makeBlob({cv::Mat()}, {2, 2}, blob), cv::Exception);
    EXPECT_THROW(irmb::makeBlob({cv::Mat(2, 2, CV_8UC2)}, {2, 2}, blob), cv::Exception);
    EXPECT_THROW(irmb::makeBlob({cv::Mat(2, 2, CV_16UC3)}, {2, 2}, blob), cv::Exception);
}

TEST(Decode, RanksPairsOfAnchorAndClass) {
    const cv::Mat raw = rawOutput(
        {{0, 0, 10, 10, 0.3f, 0.1f}, {20, 20, 40, 50, 0.9f, 0.8f}, {1, 2, 3, 4, 0.0f, 0.6f}});
    const auto found = irmb::decode(raw, HeadKind::RawXyxy, plain());
    ASSERT_EQ(found.size(), 4u); // one anchor may stand for two classes
    EXPECT_EQ(found[0].class_id, 0);
    EXPECT_FLOAT_EQ(found[0].score, 0.9f);
    EXPECT_EQ(found[0].box, cv::Rect2f(20, 20, 20, 30));
    EXPECT_EQ(found[1].class_id, 1);
    EXPECT_FLOAT_EQ(found[1].score, 0.8f);
    EXPECT_FLOAT_EQ(found[2].score, 0.6f);
    EXPECT_FLOAT_EQ(found[3].score, 0.3f);
}

TEST(Decode, LimitsAndFilters) {
    const cv::Mat raw = rawOutput({{0, 0, 10, 10, 0.5f, 0.4f, 0.3f},
                                   {0, 0, 20, 20, 0.6f, 0.2f, 0.7f},
                                   {0, 0, 30, 30, 0.1f, 0.9f, 0.2f}});
    DecodeOptions options;
    options.max_detections = 1;
    EXPECT_EQ(irmb::decode(raw, HeadKind::RawXyxy, plain(), options).size(), 1u);
    options.classes = {2}; // before the limit, not behind it
    const auto found = irmb::decode(raw, HeadKind::RawXyxy, plain(), options);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].class_id, 2);
    EXPECT_FLOAT_EQ(found[0].score, 0.7f);
    options.classes = {17, -3};
    EXPECT_TRUE(irmb::decode(raw, HeadKind::RawXyxy, plain(), options).empty());
    options.classes.clear();
    options.max_detections = 0;
    EXPECT_TRUE(irmb::decode(raw, HeadKind::RawXyxy, plain(), options).empty());
}

TEST(Decode, LeavesOutWhatIsNotFinite) {
    const cv::Mat raw = rawOutput({{0, 0, 10, 10, kNan, 0.5f},
                                   {0, 0, 10, 10, kInfinity, 0.4f},
                                   {0, kNan, 10, 10, 0.9f, 0.9f},
                                   {0, 0, kInfinity, 10, 0.9f, 0.9f},
                                   {kNan, kNan, kNan, kNan, kNan, kNan}});
    const auto found = irmb::decode(raw, HeadKind::RawXyxy, plain());
    ASSERT_EQ(found.size(), 2u);
    EXPECT_FLOAT_EQ(found[0].score, 0.5f);
    EXPECT_FLOAT_EQ(found[1].score, 0.4f);
    EXPECT_TRUE(irmb::decode(rowsOutput({{0, 0, 9, 9, kNan, 0},
                                         {0, 0, 9, 9, 0.9f, kNan},
                                         {0, 0, kInfinity, 9, 0.9f, 0}}),
                             HeadKind::EndToEnd, plain())
                    .empty());
}

TEST(Decode, ReadsEndToEndRows) {
    DecodeOptions options;
    options.confidence = 0.5f;
    const auto found = irmb::decode(rowsOutput({{30, 10, 60, 30, 0.8f, 2},
                                                {8, 8, 40, 56, 0.9f, 250},
                                                {1, 1, 5, 5, 0.3f, 79},
                                                {50, 50, 20, 20, 0.9f, 0},
                                                {150, 150, 160, 160, 0.9f, 0}}),
                                    HeadKind::EndToEnd, plain(), options);
    ASSERT_EQ(found.size(), 2u); // the others: too weak, inside out, outside of the picture
    EXPECT_EQ(found[0].class_id, 250);
    EXPECT_EQ(found[0].box, cv::Rect2f(8, 8, 32, 48));
    EXPECT_EQ(found[1].class_id, 2);
}

TEST(Decode, SuppressesOverlapsOfCentresAndSizesPerClass) {
    const auto found =
        irmb::decode(rawOutput({{50, 50, 20, 20, 0.8f, 0.1f},   // box 40..60
                                {51, 50, 20, 20, 0.9f, 0.1f},   // the same object, better
                                {50, 50, 20, 20, 0.1f, 0.7f},   // another class
                                {20, 20, 10, 10, 0.6f, 0.1f}}), // elsewhere
                     HeadKind::RawCxcywh, plain());
    ASSERT_EQ(found.size(), 3u);
    EXPECT_FLOAT_EQ(found[0].score, 0.9f);
    EXPECT_EQ(found[0].box, cv::Rect2f(41, 40, 20, 20));
    EXPECT_FLOAT_EQ(found[1].score, 0.7f);
    EXPECT_EQ(found[1].class_id, 1);
    EXPECT_EQ(found[2].box, cv::Rect2f(15, 15, 10, 10));
}

TEST(Decode, RemovesDoublesOfNmsFreeHeadsOnRequest) {
    const cv::Mat raw = rawOutput({{40, 40, 60, 60, 0.8f, 0.1f},
                                   {41, 40, 61, 60, 0.9f, 0.1f},   // IoU 380 / 420 with the first
                                   {40, 40, 60, 60, 0.1f, 0.7f},   // another class
                                   {50, 40, 70, 60, 0.6f, 0.1f}}); // IoU 220 / 580 with the second
    const cv::Mat rows = rowsOutput({{40, 40, 60, 60, 0.8f, 0},
                                     {41, 40, 61, 60, 0.9f, 0},
                                     {40, 40, 60, 60, 0.7f, 1},
                                     {50, 40, 70, 60, 0.6f, 0}});
    const auto scoresAt = [&](const cv::Mat& output, HeadKind head, float iou) {
        DecodeOptions options;
        options.nms_iou = iou;
        std::vector<float> scores;
        for (const auto& found : irmb::decode(output, head, plain(), options))
            scores.push_back(found.score);
        return scores;
    };
    for (const auto& [output, head] :
         {std::pair(raw, HeadKind::RawXyxy), std::pair(rows, HeadKind::EndToEnd)}) {
        const std::vector<float> all{0.9f, 0.8f, 0.7f, 0.6f};
        EXPECT_EQ(scoresAt(output, head, 0), all);
        EXPECT_EQ(scoresAt(output, head, 1), all);
        EXPECT_EQ(scoresAt(output, head, 0.92f), all);
        EXPECT_EQ(scoresAt(output, head, 0.6f), (std::vector<float>{0.9f, 0.7f, 0.6f}));
        EXPECT_EQ(scoresAt(output, head, 0.3f), (std::vector<float>{0.9f, 0.7f}));
    }
}

TEST(Decode, ReadsTheImageThatIsAskedFor) {
    const int sizes[] = {2, 5, 1};
    cv::Mat raw(3, sizes, CV_32F, cv::Scalar(0));
    float* second = raw.ptr<float>(1);
    const float values[] = {1, 2, 11, 22, 0.5f};
    std::copy(std::begin(values), std::end(values), second);
    EXPECT_TRUE(irmb::decode(raw, HeadKind::RawXyxy, plain(), {}, 0).empty());
    EXPECT_EQ(irmb::decode(raw, HeadKind::RawXyxy, plain(), {}, 1).front().box,
              cv::Rect2f(1, 2, 10, 20));
}

TEST(Decode, RefusesOutputsThatDoNotFit) {
    expectWords(faultOf(rowsOutput({{0, 0, 1, 1, 1, 0, 9}}), HeadKind::EndToEnd), {"1x1x7"});
    expectWords(faultOf(rawOutput({{0, 0, 1, 1}}), HeadKind::RawXyxy), {"1x4x1"});
    expectWords(faultOf(rowsOutput({{0, 0, 1, 1, 1, 0}}), HeadKind::None), {"not of a known"});
    expectWords(faultOf(rowsOutput({{0, 0, 1, 1, 1, 0}}), HeadKind::EndToEnd, 1), {"no image 1"});
    expectWords(faultOf(cv::Mat(4, 4, CV_32F), HeadKind::EndToEnd), {"4x4"});
}

TEST(EndToEnd, DoesWhatTheTailDoes) {
    cv::RNG rng(4);
    for (int round = 0; round < 20; ++round) {
        const int sizes[] = {1, 4 + rng.uniform(1, 6), rng.uniform(5, 60)};
        cv::Mat raw(3, sizes, CV_32F);
        rng.fill(raw, cv::RNG::UNIFORM, 0.f, 1.f);
        if (round % 2 == 1) // coarse scores: many ties
            for (std::size_t i = 0; i < raw.total(); ++i)
                raw.ptr<float>()[i] = std::round(raw.ptr<float>()[i] * 4) / 4;
        const int keep = rng.uniform(1, sizes[2] + 1);
        const auto expected = tailByHand(raw, keep);
        const cv::Mat rows = irmb::endToEnd(raw, keep);
        ASSERT_EQ(rows.size[1], keep);
        for (int i = 0; i < keep; ++i)
            for (int j = 0; j < 6; ++j)
                ASSERT_EQ(rows.ptr<float>(0, i)[j],
                          expected[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)])
                    << "round " << round << ", row " << i;
    }
}

TEST(EndToEnd, KeepsNoMoreThanThereAreAnchors) {
    EXPECT_EQ(irmb::endToEnd(rawOutput({{0, 0, 1, 1, 0.5f}, {0, 0, 2, 2, 0.6f}})).size[1], 2);
}
