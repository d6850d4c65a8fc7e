#include "cuda/adapter/opencv_adapter.hpp"

#include <opencv2/core.hpp>

namespace irmb::cuda {
namespace {

[[noreturn]] void refuse() {
    CV_Error(cv::Error::StsNotImplemented, "irmb_dnn was built without its CUDA layer");
}

} // namespace

bool hasAdapter() {
    return false;
}

bool hasByteTensors() {
    return false;
}

MatShape shapeOf(const cv::Ptr<cv::dnn::BackendWrapper>&) {
    refuse();
}

std::shared_ptr<const UploadedBlock> upload(const IrmbParams&, const IrmbWeights&, int,
                                            const std::string&) {
    refuse();
}

cv::Ptr<cv::dnn::BackendNode> makeAttentionNode(const void*, const AttentionShape&, float, int,
                                                const std::string&) {
    refuse();
}

cv::Ptr<cv::dnn::BackendNode> makePixelNode(const void*, int, int, int, const std::string&) {
    refuse();
}

cv::Ptr<cv::dnn::BackendNode> makeCandidateNode(const void*, int, const HeadShape&, const cv::Mat&,
                                                const cv::Mat&, int, const std::string&) {
    refuse();
}

} // namespace irmb::cuda
