#include "sink/registry.hpp"
#include "sink/summary.hpp"
#include "sink/text_format.hpp"
#include "support/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <clocale>

namespace vigil::test {
namespace {

FrameResult result(int64_t index, double time_ms, std::vector<irmb::Detection> detections = {}) {
    FrameResult made;
    made.frame.index = index;
    made.frame.time_ms = time_ms;
    made.frame.image = cv::Mat(20, 30, CV_8UC3, cv::Scalar(10, 20, 30));
    made.detections = std::move(detections);
    return made;
}

/// What the data sink `kind` makes of two frames, the second one without detections.
std::string written(const std::string& kind) {
    ScratchFolder folder;
    SinkContext context;
    context.class_names = {"person", "a \"b\", c"};
    for (const DataSinkKind& candidate : dataSinkKinds())
        if (candidate.name == kind) {
            const auto sink = candidate.make(folder.path("out"), context);
            sink->write(result(0, 0,
                               {{0, 0.91f, cv::Rect2f(1.5f, 2, 10, 20.25f)},
                                {1, 0.5f, cv::Rect2f(0, 0, 3, 4)},
                                {7, 0.25f, cv::Rect2f(0, 0, 3, 4)}}));
            sink->write(result(3, 100.0 / 3));
            sink->finish();
        }
    return folder.read("out");
}

TEST(DataSinks, Jsonl) {
    EXPECT_EQ(written("jsonl"), "{\"frame\": 0, \"time_ms\": 0.000, \"detections\": ["
                                "{\"class\": 0, \"name\": \"person\", \"score\": 0.910000, "
                                "\"box\": [1.500, 2.000, 11.500, 22.250]}, "
                                "{\"class\": 1, \"name\": \"a \\\"b\\\", c\", \"score\": 0.500000, "
                                "\"box\": [0.000, 0.000, 3.000, 4.000]}, "
                                "{\"class\": 7, \"name\": \"class7\", \"score\": 0.250000, "
                                "\"box\": [0.000, 0.000, 3.000, 4.000]}]}\n"
                                "{\"frame\": 3, \"time_ms\": 33.333, \"detections\": []}\n");
}

TEST(DataSinks, JsonlNamesTheFilesOfStills) {
    const ScratchFolder folder;
    for (const DataSinkKind& candidate : dataSinkKinds())
        if (candidate.name == "jsonl") {
            const auto sink = candidate.make(folder.path("out"), {});
            FrameResult still = result(0, 0);
            still.frame.name = "a \"b\".png";
            sink->write(still);
            sink->finish();
        }
    EXPECT_EQ(folder.read("out"), "{\"frame\": 0, \"time_ms\": 0.000, "
                                  "\"file\": \"a \\\"b\\\".png\", \"detections\": []}\n");
}

TEST(DataSinks, Csv) {
    EXPECT_EQ(written("csv"), "frame,time_ms,class,name,score,x1,y1,x2,y2\n"
                              "0,0.000,0,person,0.910000,1.500,2.000,11.500,22.250\n"
                              "0,0.000,1,\"a \"\"b\"\", c\",0.500000,0.000,0.000,3.000,4.000\n"
                              "0,0.000,7,class7,0.250000,0.000,0.000,3.000,4.000\n");
}

TEST(DataSinks, Mot) {
    EXPECT_EQ(written("mot"), "1,-1,1.500,2.000,10.000,20.250,0.910000,-1,-1,-1\n"
                              "1,-1,0.000,0.000,3.000,4.000,0.500000,-1,-1,-1\n"
                              "1,-1,0.000,0.000,3.000,4.000,0.250000,-1,-1,-1\n");
}

TEST(DataSinks, WhatIsWrittenCanBeReadAtOnce) {
    ScratchFolder folder;
    for (const DataSinkKind& kind : dataSinkKinds()) {
        const auto sink = kind.make(folder.path(kind.name), {});
        sink->write(result(0, 0, {{0, 0.5f, cv::Rect2f(0, 0, 1, 1)}}));
        EXPECT_NE(folder.read(kind.name).find("0.500000"), std::string::npos) << kind.name;
    }
}

TEST(DataSinks, FullDiskIsAnError) {
    for (const DataSinkKind& kind : dataSinkKinds())
        EXPECT_THROW(
            {
                const auto sink = kind.make("/dev/full", {});
                sink->write(result(0, 0, {{0, 0.5f, cv::Rect2f(0, 0, 1, 1)}}));
            },
            cv::Exception)
            << kind.name;
}

TEST(DataSinks, MissingFolderIsNamed) {
    ScratchFolder folder;
    const std::string path = folder.path("none/out");
    try {
        dataSinkKinds().front().make(path, {});
        ADD_FAILURE();
    } catch (const cv::Exception& error) {
        EXPECT_NE(error.err.find(path), std::string::npos) << error.err;
    }
}

TEST(TextFormat, NumbersIgnoreTheLocale) {
    const std::string before = std::setlocale(LC_ALL, nullptr);
    std::setlocale(LC_ALL, "de_DE.UTF-8"); // without effect where it is not installed
    EXPECT_EQ(fixedDecimals(1234.5678, 3), "1234.568");
    std::setlocale(LC_ALL, before.c_str());
}

TEST(TextFormat, JsonEscapes) {
    EXPECT_EQ(jsonString("a\n\"\\\x01"), "\"a\\n\\\"\\\\\\u0001\"");
    EXPECT_EQ(jsonString("\xff"), "\"\xEF\xBF\xBD\"");
}

TEST(PictureSinks, EndingDecides) {
    ScratchFolder folder;
    SinkContext video;
    video.source.name = "v";
    EXPECT_NO_THROW(makePictureSink(folder.path("a.mp4"), video));
    EXPECT_NO_THROW(makePictureSink(folder.path("f_%03d.png"), video));
    EXPECT_NO_THROW(makePictureSink(folder.path("frames/"), video));
    EXPECT_THROW(makePictureSink(folder.path("a.xyz"), video), cv::Exception);
    EXPECT_THROW(makePictureSink(folder.path("one.png"), video), cv::Exception);
}

TEST(PictureSinks, NumberedImagesAndFolders) {
    ScratchFolder folder;
    SinkContext video;
    makePictureSink(folder.path("f_%03d.png"), video)->write(result(12, 0));
    EXPECT_EQ(cv::imread(folder.path("f_012.png")).size(), cv::Size(30, 20));
    FrameResult still = result(0, 0);
    still.frame.name = "photo.bmp";
    makePictureSink(folder.path("frames/"), video)->write(still);
    EXPECT_EQ(cv::imread(folder.path("frames/photo.bmp")).at<cv::Vec3b>(0, 0),
              cv::Vec3b(10, 20, 30));
}

} // namespace
} // namespace vigil::test
