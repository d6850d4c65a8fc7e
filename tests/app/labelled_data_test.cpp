#include "eval/class_map.hpp"
#include "eval/class_names.hpp"
#include "eval/labelled_data.hpp"
#include "eval/yolo_data.hpp"
#include "support/scratch_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <fstream>

namespace vigil::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class LabelledDataTest : public testing::Test {
protected:
    /// Writes a file and the folders above it. Nothing here decodes an image.
    std::string write(const std::string& name, const std::string& text = "") const {
        const std::string path = folder.path(name);
        fs::create_directories(fs::path(path).parent_path());
        std::ofstream(path) << text;
        return path;
    }

    LabelledData open(const std::string& name, const std::string& split = "") const {
        return openData({folder.path(name), split, "", ""});
    }

    void expectError(const std::function<void()>& work, const std::string& what) const {
        try {
            work();
            ADD_FAILURE() << "no error about " << what;
        } catch (const cv::Exception& error) {
            EXPECT_THAT(error.err, HasSubstr(what));
        }
    }

    ScratchFolder folder;
};

void expectNear(const cv::Rect2d& actual, const cv::Rect2d& expected) {
    EXPECT_NEAR(actual.x, expected.x, 1e-12);
    EXPECT_NEAR(actual.y, expected.y, 1e-12);
    EXPECT_NEAR(actual.width, expected.width, 1e-12);
    EXPECT_NEAR(actual.height, expected.height, 1e-12);
}

TEST_F(LabelledDataTest, RowsAreBoxesOrPolygons) {
    const std::string file = write("a.txt", "2 0.5 0.25 0.2 0.1\n\n0 .1 .2 .4 .3 .2 .6\r\n");
    const std::vector<LabelledObject> objects = readYoloLabels(file, 3);
    ASSERT_EQ(objects.size(), 2U);
    EXPECT_EQ(objects[0].class_index, 2);
    expectNear(objects[0].box, {0.4, 0.2, 0.2, 0.1});
    expectNear(objects[1].box, {0.1, 0.2, 0.3, 0.4});
    LabelledImage image{"a.jpg", "a", {}, objects};
    expectNear(objectsInPixels(image, {200, 100})[0].box, {80, 20, 40, 10});
}

TEST_F(LabelledDataTest, BadRowsAreNamed) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"0 0.5 0.5 0.1", "cx cy w h"},      {"0 0.5 0.5 0.1 0.1 0.9", "cx cy w h"},
        {"0 50 50 10 10", "shares"},         {"-1 .5 .5 .1 .1", "whole number"},
        {"1.5 .5 .5 .1 .1", "whole"},        {"3 .5 .5 .1 .1", "3 classes"},
        {"car .5 .5 .1 .1", "not a number"}, {"0 nan .5 .1 .1", "not a number"}};
    for (const auto& [row, fault] : rows) {
        const std::string file = write("bad.txt", "0 .5 .5 .1 .1\n" + row + "\n");
        expectError([&] { readYoloLabels(file, 3); }, "line 2: ");
        expectError([&, fault = fault] { readYoloLabels(file, 3); }, fault);
    }
}

TEST_F(LabelledDataTest, LabelsAreFoundFromTheImage) {
    EXPECT_EQ(labelFileOf("/d/images/val/a.b.jpg"), "/d/labels/val/a.b.txt");
    EXPECT_EQ(labelFileOf("/images/x/images/a.jpg"), "/images/x/labels/a.txt");
    EXPECT_EQ(labelFileOf("flat/a.jpg"), "flat/a.txt");
}

TEST_F(LabelledDataTest, FolderWithSplits) {
    for (const char* split : {"train2017", "val2017"})
        for (const char* name : {"/000012.jpg", "/000003.jpg"})
            write("d/images/" + std::string(split) + name);
    write("d/labels/val2017/000012.txt", "5 .5 .5 .1 .1\n");
    write("d/labels/train2017/000012.txt", "7 .5 .5 .1 .1\n");
    const LabelledData data = open("d");
    ASSERT_EQ(data.images.size(), 2U);
    EXPECT_EQ(data.images[0].id, "3");
    EXPECT_TRUE(data.images[0].objects.empty());
    EXPECT_EQ(data.images[1].id, "12");
    EXPECT_EQ(data.classes.size(), 6U);
    EXPECT_FALSE(data.named());
    EXPECT_EQ(data.warnings.size(), 1U);
    EXPECT_EQ(open("d", "train").classes.size(), 8U);
    expectError([&] { open("d", "test"); }, "train2017, val2017");
}

TEST_F(LabelledDataTest, OtherFolders) {
    write("plain/images/a.png");
    write("plain/labels/a.txt", "0 .5 .5 .1 .1\n");
    write("plain/classes.txt", "person\n car \n\n");
    EXPECT_EQ(open("plain").classes.at(1).name, "car");
    write("roboflow/valid/images/a.png");
    write("roboflow/valid/labels/a.txt", "0 .5 .5 .1 .1\n");
    EXPECT_EQ(open("roboflow").images.size(), 1U);
    write("flat/a.png");
    write("flat/a.txt", "0 .5 .5 .1 .1\n");
    EXPECT_EQ(open("flat").images.at(0).objects.size(), 1U);
    write("unlabelled/images/a.png");
    expectError([&] { open("unlabelled"); }, "no labels");
    fs::create_directories(folder.path("empty/images"));
    expectError([&] { open("empty"); }, "no images");
    expectError([&] { open("missing"); }, "does not exist");
    write("note.md");
    expectError([&] { open("note.md"); }, "no labelled data");
}

TEST_F(LabelledDataTest, DataYaml) {
    write("d/images/val/a.png");
    write("d/images/extra/b.png");
    write("d/labels/val/a.txt", "1 .5 .5 .1 .1\n");
    write("d/list.txt", "./images/extra/b.png\n");
    const std::string yaml = write("d/data.yaml", "path: ../d\ntrain: [images/val, list.txt]\n"
                                                  "val: ../images/val\ntest:\n"
                                                  "names:\n  0: person\n  1: 'traffic light'\n");
    const LabelledData data = open("d");
    ASSERT_EQ(data.images.size(), 1U);
    EXPECT_EQ(data.classes.at(1).name, "traffic light");
    EXPECT_EQ(open("d/data.yaml", "train").images.size(), 2U);
    expectError([&] { open("d", "test"); }, "no split 'test'");
    write("d/data.yaml", "val: images/val\nnames: [person]\n");
    expectError([&] { open("d"); }, "1 classes are named");
    write("d/data.yaml", "val: nowhere\nnames: [person, car]\n");
    expectError([&] { open("d"); }, "nowhere");
    for (const char* text : {"val: [", "just text", "val: images/val\nnames: {a: b}\n", ""}) {
        write("d/data.yaml", text);
        expectError([&] { open("d"); }, "data.yaml");
    }
}

const std::string annotations = R"({"images": [
  {"id": 10, "file_name": "b.jpg", "width": 40, "height": 20},
  {"id": 9, "file_name": "a.jpg", "width": 40, "height": 20}],
 "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
 "annotations": [{"id": 1, "image_id": 10, "category_id": 18, "bbox": [1, 2, 3.5, 4], "iscrowd": 1}]})";

TEST_F(LabelledDataTest, CocoAnnotations) {
    write("coco/annotations/instances_val.json", annotations);
    write("coco/annotations/captions_val.json", "{}");
    write("coco/images/a.jpg");
    write("coco/images/b.jpg");
    const LabelledData data = open("coco");
    ASSERT_EQ(data.images.size(), 2U);
    EXPECT_EQ(data.images[0].id, "9");
    EXPECT_EQ(data.images[0].file.filename(), "a.jpg");
    EXPECT_TRUE(fs::exists(data.images[0].file));
    ASSERT_EQ(data.images[1].objects.size(), 1U);
    EXPECT_EQ(data.classes.at(1).name, "dog");
    EXPECT_EQ(data.images[1].objects[0].class_index, 1);
    EXPECT_TRUE(data.images[1].objects[0].crowd);
    EXPECT_EQ(data.images[1].objects[0].box, cv::Rect2d(1, 2, 3.5, 4));
    expectError([&] { objectsInPixels(data.images[1], {20, 40}); }, "40x20");
}

TEST_F(LabelledDataTest, BadCocoAnnotations) {
    const std::vector<std::pair<std::string, std::string>> changes = {
        {"\"image_id\": 10", "\"image_id\": 11"}, {"\"category_id\": 18", "\"category_id\": 2"},
        {"[1, 2, 3.5, 4]", "[1, 2, 3.5]"},        {"\"iscrowd\": 1", "\"iscrowd\": \"yes\""},
        {"\"width\": 40", "\"width\": 0"},        {"\"id\": 9", "\"id\": 10"},
        {"\"annotations\"", "\"notes\""},         {"{\"images\"", "\"images\""}};
    for (const auto& [part, other] : changes) {
        std::string text = annotations;
        text.replace(text.find(part), part.size(), other);
        write("bad.json", text);
        expectError([&] { open("bad.json"); }, "bad.json'");
    }
}

TEST_F(LabelledDataTest, NamesFromElsewhere) {
    EXPECT_EQ(readClassNames("coco").size(), 80U);
    EXPECT_EQ(readClassNames("coco")[7], "truck");
    write("d/images/a.png");
    write("d/labels/a.txt", "7 .5 .5 .1 .1\n");
    EXPECT_EQ(openData({folder.path("d"), "", "", "coco"}).classes.at(7).name, "truck");
    const std::string few = write("few.txt", "person\n");
    expectError([&] { openData({folder.path("d"), "", "", few}); }, "class 7");
    expectError([&] { readClassNames("nowhere.txt"); }, "nowhere.txt");
    const std::string coco = write("coco.json", annotations);
    expectError([&] { openData({coco, "", "", "coco"}); }, "have names");
}

LabelledData dataWith(const std::vector<std::string>& names) {
    LabelledData data;
    data.name = "data";
    for (std::size_t i = 0; i < names.size(); ++i)
        data.classes.push_back({static_cast<int>(i), names[i]});
    data.images.push_back({"a.jpg", "a", {}, {{0, {0, 0, 1, 1}}}});
    return data;
}

TEST_F(LabelledDataTest, ClassesMeetByName) {
    const LabelledData data = dataWith({"Dog", "person", "cat"});
    const ClassMap map = mapClasses({"person", "bus", "CAT"}, 3, data);
    EXPECT_EQ(map.data_index, (std::vector<int>{1, -1, 2}));
    EXPECT_EQ(map.known, (std::vector<bool>{false, true, true}));
    ASSERT_EQ(map.warnings.size(), 1U);
    EXPECT_THAT(map.warnings[0], HasSubstr("Dog"));
    expectError([&] { mapClasses({"bus"}, 1, data); }, "no class in common");
}

TEST_F(LabelledDataTest, ClassesMeetByPlace) {
    const LabelledData named = dataWith({"dog", "person"});
    EXPECT_EQ(mapClasses({}, 2, named).data_index, (std::vector<int>{0, 1}));
    expectError([&] { mapClasses({}, 3, named); }, "export the model with the names");
    LabelledData unnamed = dataWith({"", ""});
    adoptClasses(unnamed, {"a", "b", "c"}, 3);
    EXPECT_EQ(unnamed.classes.at(2).name, "c");
    EXPECT_EQ(mapClasses({"a", "b", "c"}, 3, unnamed).data_index, (std::vector<int>{0, 1, 2}));
    LabelledData many = dataWith({"", "", "", ""});
    const auto adopt = [&] { adoptClasses(many, {"a", "b", "c"}, 3); };
    expectError(adopt, "labels objects of class 3 and names no classes");
    expectError(adopt, "the model has classes 0 to 2");
    expectError(adopt, "--names coco");
}

} // namespace
} // namespace vigil::test
