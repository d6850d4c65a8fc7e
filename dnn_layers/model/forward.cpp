#include "layer/candidate_layer.hpp"
#include "opencv_message.hpp"

#include <irmb_dnn/model.hpp>

namespace irmb {

cv::Mat blankInput(const Model& model) {
    const std::vector<int>& shape = model.info.input_shape;
    if (!model.byte_input)
        return cv::Mat(shape, CV_32F, cv::Scalar(0));
    return cv::Mat(std::vector<int>{shape[0], shape[2], shape[3], shape[1]}, CV_8U, cv::Scalar(0));
}

std::vector<cv::Mat> forward(Model& model) {
    std::vector<cv::Mat> outputs;
    try {
        model.net.forward(outputs, model.net.getUnconnectedOutLayersNames());
    } catch (const cv::Exception& error) {
        CV_Error(error.code, model.info.path + ": OpenCV " CV_VERSION " cannot run this network: " +
                                 condensed(error.err));
    }
    if (model.candidates > 0)
        outputs.front() = addedParts(outputs.front());
    return outputs;
}

} // namespace irmb
