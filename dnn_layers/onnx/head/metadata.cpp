#include "detection_head.hpp"
#include "literal.hpp"
#include "onnx/text.hpp"

namespace irmb::onnx {
namespace {

constexpr int kMaxSide = 65536;
constexpr int kMaxStride = 1024;
constexpr std::size_t kMaxNameCharacters = 64;

const std::string* find(const std::map<std::string, std::string>& metadata, const char* key) {
    const auto it = metadata.find(key);
    return it != metadata.end() ? &it->second : nullptr;
}

std::string fallbackName(int index) {
    return "class" + std::to_string(index);
}

/// Names for all classes, "class7" where the file has none.
std::vector<std::string> completeNames(const std::map<int, std::string>& names, int count) {
    std::vector<std::string> result;
    for (int i = 0; i < count; ++i) {
        const auto it = names.find(i);
        const std::string name =
            it != names.end() ? printable(it->second, kMaxNameCharacters) : std::string();
        result.push_back(name.empty() ? fallbackName(i) : name);
    }
    return result;
}

void readNames(ModelInfo& info, std::vector<std::string>& notes) {
    std::map<int, std::string> names;
    if (const std::string* text = find(info.metadata, "names")) {
        if (const auto parsed = parseNames(*text))
            names = *parsed;
        else
            notes.push_back("class names in the metadata cannot be read: " + quoted(*text));
    }
    const int named = names.empty() ? 0 : names.rbegin()->first + 1;
    if (info.num_classes == 0)
        info.num_classes = named;
    else if (named > info.num_classes)
        notes.push_back("the metadata name " + std::to_string(named) +
                        " classes, the network has " + std::to_string(info.num_classes));
    info.class_names = completeNames(names, info.num_classes);
}

void readStride(ModelInfo& info, std::vector<std::string>& notes) {
    const std::string* text = find(info.metadata, "stride");
    if (text == nullptr)
        return;
    const auto values = parseIntegers(*text);
    if (!values || values->size() != 1 || values->front() < 1 || values->front() > kMaxStride)
        notes.push_back("stride in the metadata makes no sense: " + quoted(*text));
    else
        info.stride = values->front();
}

/// A head without NMS that is not fully trained may say that its doubles want to be removed.
void readNmsIou(ModelInfo& info, std::vector<std::string>& notes) {
    const std::string* text = find(info.metadata, "nms_iou");
    if (text == nullptr)
        return;
    const auto value = parseReal(*text);
    if (!value || !(*value > 0 && *value <= 1))
        notes.push_back("nms_iou in the metadata is not above 0 and at most 1: " + quoted(*text));
    else
        info.nms_iou = static_cast<float>(*value);
}

} // namespace

cv::Size metadataImageSize(const OnnxModel& model) {
    const std::string* text = find(model.metadata, "imgsz");
    const auto values = text != nullptr ? parseIntegers(*text) : std::nullopt;
    if (!values || values->empty() || values->size() > 2)
        return {};
    const cv::Size size(values->back(), values->front()); // written as height, width
    const bool sane =
        size.width > 0 && size.height > 0 && size.width <= kMaxSide && size.height <= kMaxSide;
    return sane ? size : cv::Size();
}

void readMetadata(const OnnxModel& model, ModelInfo& info, std::vector<std::string>& notes) {
    info.metadata = model.metadata;
    info.opset = static_cast<int>(model.opset());
    info.producer = model.producer_name;
    if (!model.producer_version.empty())
        info.producer += (info.producer.empty() ? "" : " ") + model.producer_version;
    readNames(info, notes);
    readStride(info, notes);
    readNmsIou(info, notes);
    const std::string* size = find(model.metadata, "imgsz");
    if (size != nullptr && metadataImageSize(model).empty())
        notes.push_back("imgsz in the metadata makes no sense: " + quoted(*size));
    const std::string* task = find(model.metadata, "task");
    if (task != nullptr && *task != "detect")
        notes.push_back("the metadata say that the task is " + quoted(*task) +
                        ", not detection: of its results only boxes are read, if there are any");
}

} // namespace irmb::onnx
