#include "layer/pixel_layer.hpp"

#include "cuda/adapter/opencv_adapter.hpp"
#include "detect/planes.hpp"

#include <opencv2/core.hpp>

namespace irmb {

cv::Ptr<cv::dnn::Layer> PixelLayer::create(cv::dnn::LayerParams& params) {
    return cv::makePtr<PixelLayer>(params);
}

bool PixelLayer::supportBackend(int backend) {
    return backend == cv::dnn::DNN_BACKEND_OPENCV ||
           (backend == cv::dnn::DNN_BACKEND_CUDA && cuda::hasByteTensors());
}

bool PixelLayer::getMemoryShapes(const std::vector<MatShape>& in, int /*required_outputs*/,
                                 std::vector<MatShape>& out,
                                 std::vector<MatShape>& internals) const {
    if (in.size() != 1 || in[0].size() != 4 || in[0][3] != 3)
        CV_Error(cv::Error::StsBadArg,
                 "Pixels '" + name + "': its input must be 8-bit BGR, [B, H, W, 3]");
    out.assign(1, MatShape{in[0][0], 3, in[0][1], in[0][2]});
    internals.clear();
    return false;
}

cv::Ptr<cv::dnn::BackendNode>
PixelLayer::initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
                     const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& /*out*/) {
    const MatShape x = cuda::shapeOf(in.at(0));
    return cuda::makePixelNode(context, x[0], x[1] * x[2], preferableTarget, name);
}

void PixelLayer::forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                         cv::OutputArrayOfArrays /*internals*/) {
    std::vector<cv::Mat> sources;
    std::vector<cv::Mat> results;
    in.getMatVector(sources);
    out.getMatVector(results);
    const cv::Mat& bytes = sources.at(0);
    if (bytes.depth() != CV_8U)
        CV_Error(cv::Error::StsBadArg, "Pixels '" + name + "': input of type " +
                                           cv::typeToString(bytes.type()) + ", expected 8-bit");
    for (int image = 0; image < bytes.size[0]; ++image)
        toPlanes(cv::Mat(bytes.size[1], bytes.size[2], CV_8UC3,
                         const_cast<uint8_t*>(bytes.ptr<uint8_t>(image))),
                 results.at(0).ptr<float>(image));
}

} // namespace irmb
