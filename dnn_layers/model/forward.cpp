#include "opencv_message.hpp"

#include <irmb_dnn/model.hpp>

namespace irmb {

std::vector<cv::Mat> forward(Model& model) {
    std::vector<cv::Mat> outputs;
    try {
        model.net.forward(outputs, model.net.getUnconnectedOutLayersNames());
    } catch (const cv::Exception& error) {
        CV_Error(error.code, model.info.path + ": OpenCV " CV_VERSION " cannot run this network: " +
                                 condensed(error.err));
    }
    return outputs;
}

} // namespace irmb
