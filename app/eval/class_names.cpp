#include "class_names.hpp"

#include "data_yaml.hpp"

#include <opencv2/core.hpp>

#include <filesystem>
#include <fstream>

namespace vigil {
namespace {

std::string trimmed(const std::string& line) {
    const char* blank = " \t\r";
    const std::size_t begin = line.find_first_not_of(blank);
    return begin == std::string::npos
               ? ""
               : line.substr(begin, line.find_last_not_of(blank) - begin + 1);
}

std::vector<std::string> namesInText(const std::string& path) {
    std::ifstream stream(path);
    std::vector<std::string> names;
    for (std::string line; std::getline(stream, line);)
        if (!trimmed(line).empty())
            names.push_back(trimmed(line));
    return names;
}

} // namespace

const std::vector<std::string>& cocoNames() {
    static const std::vector<std::string> names = {
        "person",        "bicycle",      "car",
        "motorcycle",    "airplane",     "bus",
        "train",         "truck",        "boat",
        "traffic light", "fire hydrant", "stop sign",
        "parking meter", "bench",        "bird",
        "cat",           "dog",          "horse",
        "sheep",         "cow",          "elephant",
        "bear",          "zebra",        "giraffe",
        "backpack",      "umbrella",     "handbag",
        "tie",           "suitcase",     "frisbee",
        "skis",          "snowboard",    "sports ball",
        "kite",          "baseball bat", "baseball glove",
        "skateboard",    "surfboard",    "tennis racket",
        "bottle",        "wine glass",   "cup",
        "fork",          "knife",        "spoon",
        "bowl",          "banana",       "apple",
        "sandwich",      "orange",       "broccoli",
        "carrot",        "hot dog",      "pizza",
        "donut",         "cake",         "chair",
        "couch",         "potted plant", "bed",
        "dining table",  "toilet",       "tv",
        "laptop",        "mouse",        "remote",
        "keyboard",      "cell phone",   "microwave",
        "oven",          "toaster",      "sink",
        "refrigerator",  "book",         "clock",
        "vase",          "scissors",     "teddy bear",
        "hair drier",    "toothbrush"};
    return names;
}

std::vector<std::string> readClassNames(const std::string& source) {
    if (source == "coco")
        return cocoNames();
    if (!std::filesystem::is_regular_file(source))
        CV_Error(cv::Error::StsObjectNotFound,
                 "--names: '" + source + "' is no file; give one with a name a line, or coco");
    const std::string ending = std::filesystem::path(source).extension().string();
    std::vector<std::string> names =
        ending == ".yaml" || ending == ".yml" ? namesInYaml(source) : namesInText(source);
    if (names.empty())
        CV_Error(cv::Error::StsBadArg, "--names: '" + source + "' holds no names");
    return names;
}

} // namespace vigil
