#include "layer/candidate_layer.hpp"

#include "cuda/adapter/opencv_adapter.hpp"

#include <irmb_dnn/detection.hpp>

#include <opencv2/core.hpp>

#include <algorithm>

namespace irmb {
namespace {

/// Some rows of an image of a tensor [B, rows, N].
cv::Mat matrixOf(const cv::Mat& tensor, int image, int first, int rows) {
    return cv::Mat(rows, tensor.size[2], CV_32F,
                   const_cast<float*>(tensor.ptr<float>(image, first)));
}

/// [1, 4 + classes, N] of one image.
cv::Mat wholeHead(const cv::Mat& distances, const cv::Mat& scores, const cv::Mat& offsets,
                  const cv::Mat& factors, int image) {
    const int classes = scores.size[1];
    cv::Mat head(std::vector<int>{1, 4 + classes, scores.size[2]}, CV_32F);
    cv::Mat boxes = matrixOf(head, 0, 0, 4);
    cv::multiply(factors, matrixOf(distances, image, 0, 4), boxes);
    cv::add(offsets, boxes, boxes);
    matrixOf(scores, image, 0, classes).copyTo(matrixOf(head, 0, 4, classes));
    return head;
}

} // namespace

CandidateLayer::CandidateLayer(const cv::dnn::LayerParams& params)
    : FloatLayer(params), keep_(params.get<int>("keep", 0)) {
    if (keep_ < 1)
        CV_Error(cv::Error::StsBadArg, "Candidates '" + name + "': keep must be at least 1");
}

cv::Ptr<cv::dnn::Layer> CandidateLayer::create(cv::dnn::LayerParams& params) {
    return cv::makePtr<CandidateLayer>(params);
}

bool CandidateLayer::supportBackend(int backend) {
    return backend == cv::dnn::DNN_BACKEND_OPENCV ||
           (backend == cv::dnn::DNN_BACKEND_CUDA && cuda::hasAdapter());
}

bool CandidateLayer::getMemoryShapes(const std::vector<MatShape>& in, int /*required_outputs*/,
                                     std::vector<MatShape>& out,
                                     std::vector<MatShape>& internals) const {
    const bool fits = in.size() >= 2 && in[0].size() == 3 && in[1].size() == 3 && in[0][1] == 4 &&
                      in[0][0] == in[1][0] && in[0][2] == in[1][2] && in[0][2] >= keep_;
    if (!fits)
        CV_Error(cv::Error::StsBadArg,
                 "Candidates '" + name +
                     "': its inputs must be distances [B, 4, N] and scores [B, classes, N] of at "
                     "least " +
                     std::to_string(keep_) + " anchors");
    out.assign(1, MatShape{in[0][0], 2, keep_, 6});
    internals.clear();
    return false;
}

cv::Ptr<cv::dnn::BackendNode>
CandidateLayer::initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
                         const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& /*out*/) {
    const MatShape scores = cuda::shapeOf(in.at(1));
    return cuda::makeCandidateNode(context, scores[0], {scores[1], scores[2], keep_}, blobs.at(0),
                                   blobs.at(1), preferableTarget, name);
}

void CandidateLayer::forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                             cv::OutputArrayOfArrays /*internals*/) {
    std::vector<cv::Mat> tensors;
    std::vector<cv::Mat> results;
    in.getMatVector(tensors);
    out.getMatVector(results);
    const cv::Mat& offsets = blobs.empty() ? tensors.at(2) : blobs.at(0);
    const cv::Mat& factors = blobs.empty() ? tensors.at(3) : blobs.at(1);
    cv::Mat& parts = results.at(0);
    parts.setTo(0);
    for (int image = 0; image < parts.size[0]; ++image) {
        const cv::Mat rows =
            endToEnd(wholeHead(tensors.at(0), tensors.at(1), offsets, factors, image), keep_);
        std::copy(rows.begin<float>(), rows.end<float>(), parts.ptr<float>(image));
    }
}

cv::Mat addedParts(const cv::Mat& output) {
    cv::Mat rows(std::vector<int>{output.size[0], output.size[2], output.size[3]}, CV_32F);
    for (int image = 0; image < output.size[0]; ++image) {
        const cv::Mat rounded(output.size[2], output.size[3], CV_32F,
                              const_cast<float*>(output.ptr<float>(image, 0)));
        const cv::Mat rest(output.size[2], output.size[3], CV_32F,
                           const_cast<float*>(output.ptr<float>(image, 1)));
        cv::Mat sum(output.size[2], output.size[3], CV_32F, rows.ptr<float>(image));
        cv::add(rounded, rest, sum);
    }
    return rows;
}

} // namespace irmb
