#include "model_detector.hpp"

#include <algorithm>
#include <cctype>

namespace vigil {
namespace {

void checkIsDetector(const irmb::ModelInfo& info) {
    const std::string who = "model '" + info.path + "'";
    if (info.input_shape.size() != 4 || info.input_shape[1] != 3)
        CV_Error(cv::Error::StsBadArg,
                 who + " does not take colour images; its input must be [1, 3, height, width]");
    if (info.head == irmb::HeadKind::None)
        CV_Error(cv::Error::StsBadArg,
                 who + " is not a known detector; give a YOLOv10 with a [1, 4 + classes, N] or "
                       "[1, K, 6] output");
    if (info.batch != 1)
        CV_Error(cv::Error::StsBadArg, who + " is made for batches of " +
                                           std::to_string(info.batch) +
                                           "; export it with batch 1 or an open batch");
}

bool isNumber(const std::string& text) {
    return !text.empty() && text.size() < 9 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

int findClass(const std::string& wanted, const irmb::ModelInfo& info) {
    for (std::size_t i = 0; i < info.class_names.size(); ++i)
        if (cv::toLowerCase(info.class_names[i]) == cv::toLowerCase(wanted))
            return static_cast<int>(i);
    if (isNumber(wanted) && (info.num_classes == 0 || std::stoi(wanted) < info.num_classes))
        return std::stoi(wanted);
    CV_Error(cv::Error::StsBadArg,
             "--classes: the model has no class '" + wanted + "'; 'vigil info' lists its classes");
}

} // namespace

ModelDetector::ModelDetector(irmb::Model model, const BackendChoice& backend)
    : model_(std::move(model)), backend_(backend) {
    checkIsDetector(model_.info);
}

Prepared ModelDetector::prepare(const cv::Mat& bgr) {
    Prepared picture;
    picture.placement = irmb::makeInput(model_, {bgr}, picture.blob).front();
    return picture;
}

Inference ModelDetector::infer(const Prepared& picture) {
    model_.net.setInput(picture.blob);
    // The network owns what it returns and writes over it in the next pass.
    return {irmb::forward(model_).front().clone(), picture.placement, nullptr};
}

std::vector<irmb::Detection> ModelDetector::decode(const Inference& inference) {
    irmb::DecodeOptions options;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        options = options_;
    }
    return irmb::decode(inference.output, model_.info, inference.placement, std::move(options));
}

void ModelDetector::setOptions(const irmb::DecodeOptions& options) {
    const std::lock_guard<std::mutex> lock(mutex_);
    options_ = options;
}

std::vector<std::string> ModelDetector::fallbackLayers() {
    return vigil::fallbackLayers(model_, backend_);
}

std::string className(const std::vector<std::string>& names, int class_id) {
    const auto i = static_cast<std::size_t>(class_id);
    return class_id >= 0 && i < names.size() ? names[i] : "class" + std::to_string(class_id);
}

std::vector<int> parseClasses(const std::vector<std::string>& wanted, const irmb::ModelInfo& info) {
    std::vector<int> ids;
    for (const std::string& entry : wanted)
        ids.push_back(findClass(entry, info));
    return ids;
}

} // namespace vigil
