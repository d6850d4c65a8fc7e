#include "render/box_overlay.hpp"
#include "render/info_overlay.hpp"
#include "render/palette.hpp"
#include "render/renderer.hpp"
#include "render/text.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include <algorithm>

namespace vigil {
namespace {

/// From the first to behind the last row that holds something bright.
cv::Range rowsWithInk(const cv::Mat& picture) {
    cv::Range rows(picture.rows, 0);
    for (int y = 0; y < picture.rows; ++y)
        if (cv::norm(picture.row(y), cv::NORM_INF) > 128)
            rows = {std::min(rows.start, y), y + 1};
    return rows;
}

TEST(Palette, FirstClassesDifferWell) {
    for (int a = 0; a < 16; ++a)
        for (int b = 0; b < a; ++b)
            EXPECT_GT(cv::norm(classColour(a) - classColour(b)), 30) << a << " and " << b;
}

TEST(Palette, ColoursAreBytesForAnyId) {
    for (const int id : {-5, 0, 79, 100000, 2147483647})
        for (int channel = 0; channel < 3; ++channel) {
            EXPECT_GE(classColour(id)[channel], 0);
            EXPECT_LE(classColour(id)[channel], 255);
        }
}

TEST(Palette, TextContrasts) {
    EXPECT_EQ(textColourOn(cv::Scalar::all(255)), cv::Scalar::all(0));
    EXPECT_EQ(textColourOn(cv::Scalar::all(0)), cv::Scalar::all(255));
    EXPECT_EQ(textColourOn({255, 0, 0}), cv::Scalar::all(255)) << "blue";
    EXPECT_EQ(textColourOn({0, 255, 255}), cv::Scalar::all(0)) << "yellow";
}

TEST(Text, DangerousCharactersGo) {
    EXPECT_EQ(drawableText("per\nson\x07"), "person");
    EXPECT_EQ(drawableText("a\xE2\x80\xAE"
                           "b"),
              "ab")
        << "right-to-left override";
    EXPECT_EQ(drawableText("a\xFF"), "a?");
    EXPECT_EQ(drawableText("a\xC3"), "a?") << "cut in the middle of a character";
}

TEST(Text, WidthGrowsWithTextAndHeight) {
    const TextPainter small(16);
    EXPECT_EQ(small.widthOf(""), 0);
    EXPECT_GT(small.widthOf("person"), small.widthOf("per"));
    EXPECT_GT(TextPainter(64).widthOf("person"), 3 * small.widthOf("person"));
}

TEST(Text, StaysBetweenItsLines) {
    for (const int height : {12, 20, 45, 100}) {
        const TextPainter painter(height);
        const std::string text = "Agpj|(Q 100%";
        cv::Mat picture(3 * height, painter.widthOf(text) + 2 * height, CV_8UC3,
                        cv::Scalar::all(0));
        painter.draw(picture, text, {height, height}, cv::Scalar::all(255));
        const cv::Range ink = rowsWithInk(picture);
        EXPECT_GE(ink.start, height) << height;
        EXPECT_LE(ink.end, 2 * height) << height;
        EXPECT_GT(ink.size(), height / 2) << height;
    }
}

TEST(Labels, PlacesInOrderOfPreference) {
    const cv::Size picture(200, 100);
    const cv::Size label(40, 10);
    const cv::Rect box(50, 40, 30, 30);
    EXPECT_EQ(placeLabel(box, label, picture, {}), cv::Rect(50, 30, 40, 10)) << "above";
    EXPECT_EQ(placeLabel(box, label, picture, {{50, 30, 40, 10}}), cv::Rect(50, 40, 40, 10))
        << "inside when something is above";
    EXPECT_EQ(placeLabel({50, 2, 30, 30}, label, picture, {}), cv::Rect(50, 0, 40, 10))
        << "moved into the picture";
    EXPECT_EQ(placeLabel({190, 40, 10, 30}, label, picture, {}), cv::Rect(160, 30, 40, 10));
}

TEST(Labels, StayInsideEvenWhenTooLarge) {
    const cv::Rect place = placeLabel({0, 0, 5, 5}, {40, 10}, {20, 8}, {});
    EXPECT_EQ(place.tl(), cv::Point(0, 0));
}

TEST(Overlays, DrawOnAnySize) {
    Renderer renderer;
    renderer.add(std::make_unique<BoxOverlay>(std::vector<std::string>{"person"}));
    renderer.add(std::make_unique<InfoOverlay>());
    for (const cv::Size size : {cv::Size(1, 1), cv::Size(8, 300), cv::Size(427, 319),
                                cv::Size(1920, 1080), cv::Size(7680, 400)}) {
        FrameResult result;
        result.frame.image = cv::Mat(size, CV_8UC3, cv::Scalar::all(100));
        const auto width = static_cast<float>(size.width);
        const auto height = static_cast<float>(size.height);
        result.detections = {{0, 0.9f, cv::Rect2f(0, 0, width, height)},
                             {0, 0.8f, cv::Rect2f(width / 2, height / 2, 0, 0)}};
        renderer.draw(result);
        EXPECT_GT(cv::norm(result.frame.image, cv::Mat(size, CV_8UC3, cv::Scalar::all(100))), 0);
    }
}

TEST(Overlays, BoxIsWhereTheObjectIs) {
    Renderer renderer;
    renderer.add(std::make_unique<BoxOverlay>(std::vector<std::string>{}));
    FrameResult result;
    result.frame.image = cv::Mat(360, 640, CV_8UC3, cv::Scalar::all(0));
    result.detections = {{3, 0.9f, cv::Rect2f(100, 100, 200, 150)}};
    renderer.draw(result);
    const cv::Scalar colour = classColour(3);
    const cv::Vec3b expected(static_cast<uchar>(colour[0]), static_cast<uchar>(colour[1]),
                             static_cast<uchar>(colour[2]));
    EXPECT_EQ(result.frame.image.at<cv::Vec3b>(200, 100), expected);
    EXPECT_EQ(result.frame.image.at<cv::Vec3b>(249, 200), expected);
    EXPECT_EQ(result.frame.image.at<cv::Vec3b>(200, 200), cv::Vec3b()) << "the inside is free";
}

} // namespace
} // namespace vigil
