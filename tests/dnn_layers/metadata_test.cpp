#include "onnx/head/detection_head.hpp"
#include "onnx/head/literal.hpp"
#include "onnx/text.hpp"
#include "support/expect_words.hpp"

#include <gtest/gtest.h>

using namespace irmb::onnx;
using irmb::ModelInfo;
using irmb::test::expectWords;

namespace {

using Names = std::map<int, std::string>;

struct Read {
    ModelInfo info;
    std::vector<std::string> notes;
};

Read readWith(std::map<std::string, std::string> metadata, int classes = 0) {
    OnnxModel model;
    model.opsets[""] = 17;
    model.metadata = std::move(metadata);
    Read read;
    read.info.num_classes = classes;
    readMetadata(model, read.info, read.notes);
    return read;
}

cv::Size imageSize(const std::string& text) {
    OnnxModel model;
    model.metadata["imgsz"] = text;
    return metadataImageSize(model);
}

} // namespace

TEST(ParseNames, ReadsPythonAndJson) {
    const Names expected = {{0, "person"}, {1, "car"}};
    EXPECT_EQ(parseNames("{0: 'person', 1: 'car'}"), expected);
    EXPECT_EQ(parseNames(R"({"0": "person", "1": "car"})"), expected);
    EXPECT_EQ(parseNames(R"(["person", 'car'])"), expected);
    EXPECT_EQ(parseNames(" { 0 :\"person\",1:'car' , } "), expected);
    EXPECT_EQ(parseNames("{}"), Names{});
    EXPECT_EQ(parseNames("{3: 'x'}"), (Names{{3, "x"}}));
}

TEST(ParseNames, ReadsEscapes) {
    EXPECT_EQ(
        parseNames(R"({0: 'it\'s', 1: "a\\b", 2: '\x41\u00e9\U0001F600', 3: "\ud83d\ude00"})"),
        (Names{{0, "it's"}, {1, "a\\b"}, {2, "A\u00e9\U0001F600"}, {3, "\U0001F600"}}));
    EXPECT_EQ(parseNames(R"({0: "driver's seat"})"), (Names{{0, "driver's seat"}}));
}

TEST(ParseNames, RefusesEverythingElse) {
    for (const char* text :
         {"", "{0: person, [", "__import__('os').system('id')", "{0: 'a'", "{0: 'a'} + {}",
          "{0: 'a' 1: 'b'}", "{0: 'a', 0: 'b'}", "{-1: 'a'}", "{10000: 'a'}", "{0: 5}",
          "{99999999999999999999: 'a'}", "{0: 'a\\'}", "{0: '\\ud83d'}", "{0: '\\q'}", "['a'",
          "{'x': 'a'}", "{0: ['a']}", "[[[[[[[["})
        EXPECT_FALSE(parseNames(text)) << text;
}

TEST(ParseIntegers, ReadsNumbersAndLists) {
    EXPECT_EQ(parseIntegers("32"), std::vector<int>{32});
    EXPECT_EQ(parseIntegers("[640, 480]"), (std::vector<int>{640, 480}));
    EXPECT_EQ(parseIntegers("(640,480,)"), (std::vector<int>{640, 480}));
    for (const char* text : {"", "[640", "640 480", "[a]", "6.5", "[1] 2", "99999999999"})
        EXPECT_FALSE(parseIntegers(text)) << text;
}

TEST(ParseReal, ReadsFiniteNumbers) {
    EXPECT_EQ(parseReal("0.6"), 0.6);
    EXPECT_EQ(parseReal("1e-1"), 0.1);
    for (const char* text : {"", " 0.6", "0.6 ", "nan", "inf", "0,6", "1e999", "[0.6]"})
        EXPECT_FALSE(parseReal(text)) << text;
}

TEST(Metadata, ReadsTheOverlapOfDoubles) {
    EXPECT_EQ(readWith({}).info.nms_iou, 0.f);
    EXPECT_EQ(readWith({{"nms_iou", "0.6"}}).info.nms_iou, 0.6f);
    for (const char* text : {"0", "-1", "1.5", "much"}) {
        const Read read = readWith({{"nms_iou", text}});
        EXPECT_EQ(read.info.nms_iou, 0.f);
        ASSERT_EQ(read.notes.size(), 1u);
        expectWords(read.notes.front(), {"nms_iou", text});
    }
}

TEST(Metadata, ReadsWhatUltralyticsWrites) {
    const Read read = readWith({{"names", "{0: 'person', 2: 'car'}"},
                                {"stride", "32"},
                                {"task", "detect"},
                                {"imgsz", "[640, 640]"}});
    EXPECT_EQ(read.info.class_names, (std::vector<std::string>{"person", "class1", "car"}));
    EXPECT_EQ(read.info.num_classes, 3);
    EXPECT_EQ(read.info.stride, 32);
    EXPECT_EQ(read.info.opset, 17);
    EXPECT_TRUE(read.notes.empty());
}

TEST(Metadata, FallsBackWhenNamesCannotBeRead) {
    const Read read = readWith({{"names", "__import__('os').system('id')"}}, 2);
    EXPECT_EQ(read.info.class_names, (std::vector<std::string>{"class0", "class1"}));
    ASSERT_EQ(read.notes.size(), 1u);
    expectWords(read.notes[0], {"names", "__import__"});
}

TEST(Metadata, BelievesTheNetworkAboutTheNumberOfClasses) {
    const Read fewer = readWith({{"names", "['a']"}}, 2);
    EXPECT_EQ(fewer.info.class_names, (std::vector<std::string>{"a", "class1"}));
    const Read more = readWith({{"names", "['a', 'b', 'c']"}}, 2);
    EXPECT_EQ(more.info.class_names, (std::vector<std::string>{"a", "b"}));
    ASSERT_EQ(more.notes.size(), 1u);
    expectWords(more.notes[0], {"3", "2"});
}

TEST(Metadata, CleansNames) {
    const Read read = readWith({{"names", "{0: '\\u202eevil\\n\\x1b[31m', 1: ''}"}});
    EXPECT_EQ(read.info.class_names, (std::vector<std::string>{"evil[31m", "class1"}));
}

TEST(Metadata, NotesWhatMakesNoSense) {
    EXPECT_EQ(readWith({{"stride", "-32"}}).notes.size(), 1u);
    EXPECT_EQ(readWith({{"stride", "-32"}}).info.stride, 0);
    EXPECT_EQ(readWith({{"imgsz", "[-640, 640]"}}).notes.size(), 1u);
    const Read read = readWith({{"task", "segment"}});
    ASSERT_EQ(read.notes.size(), 1u);
    expectWords(read.notes[0], {"segment"});
}

TEST(Metadata, ReadsTheImageSize) {
    EXPECT_EQ(imageSize("[480, 640]"), cv::Size(640, 480)); // height comes first
    EXPECT_EQ(imageSize("320"), cv::Size(320, 320));
    EXPECT_EQ(imageSize("[-640, 640]"), cv::Size());
    EXPECT_EQ(imageSize("[640, 640, 3]"), cv::Size());
    EXPECT_EQ(imageSize("[1000000, 640]"), cv::Size());
}

TEST(Printable, KeepsTextAndDropsTheRest) {
    EXPECT_EQ(printable("caf\u00e9 \u4eba"), "caf\u00e9 \u4eba");
    EXPECT_EQ(printable("a\x01\x7f\u202e\u2066\u2028z"), "az");
    EXPECT_EQ(printable("a\xff\xc3z"), "a\ufffd\ufffdz");
    EXPECT_EQ(printable("\xc0\xaf"), "\ufffd\ufffd"); // overlong
    EXPECT_EQ(printable("abcdef", 3), "abc\u2026");
    EXPECT_EQ(quoted("x"), "'x'");
}
