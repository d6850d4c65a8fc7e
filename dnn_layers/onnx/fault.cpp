#include "fault.hpp"

#include <opencv2/core.hpp>

namespace irmb::onnx {

void refuseFile(const std::string& fault, const std::string& remedy) {
    CV_Error(cv::Error::StsParseError, fault + "; " + remedy);
}

} // namespace irmb::onnx
