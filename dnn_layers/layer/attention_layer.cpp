#include "layer/attention_layer.hpp"

#include "cuda/adapter/opencv_adapter.hpp"

#include <opencv2/core.hpp>

namespace irmb {
namespace {

/// Probabilities of the rows of logits.
void softmaxRows(cv::Mat& logits) {
    for (int row = 0; row < logits.rows; ++row) {
        cv::Mat weights = logits.row(row);
        double highest = 0;
        cv::minMaxLoc(weights, nullptr, &highest);
        weights -= highest;
        cv::exp(weights, weights);
        weights /= cv::sum(weights)[0];
    }
}

} // namespace

AttentionLayer::AttentionLayer(const cv::dnn::LayerParams& params)
    : Layer(params),
      heads_(params.get<int>("heads", 0)),
      dim_key_(params.get<int>("dim_key", 0)),
      dim_value_(params.get<int>("dim_value", 0)),
      scale_(params.get<float>("scale", 1.f)),
      with_values_(params.get<int>("with_values", 0) != 0) {
    if (heads_ < 1 || dim_key_ < 1 || dim_value_ < 1)
        CV_Error(cv::Error::StsBadArg,
                 "GlobalAttention '" + name + "': heads, dim_key and dim_value must be at least 1");
}

cv::Ptr<cv::dnn::Layer> AttentionLayer::create(cv::dnn::LayerParams& params) {
    return cv::makePtr<AttentionLayer>(params);
}

bool AttentionLayer::supportBackend(int backend) {
    return backend == cv::dnn::DNN_BACKEND_OPENCV ||
           (backend == cv::dnn::DNN_BACKEND_CUDA && cuda::hasAdapter());
}

bool AttentionLayer::getMemoryShapes(const std::vector<MatShape>& in, int /*required_outputs*/,
                                     std::vector<MatShape>& out,
                                     std::vector<MatShape>& internals) const {
    if (in.size() != 1 || in[0].size() != 4 || in[0][1] != heads_ * headChannels())
        CV_Error(cv::Error::StsBadArg, "GlobalAttention '" + name +
                                           "': its input must be a map of " +
                                           std::to_string(heads_ * headChannels()) + " channels");
    const MatShape& x = in[0];
    out.assign(with_values_ ? 2 : 1, MatShape{x[0], heads_ * dim_value_, x[2], x[3]});
    internals.clear();
    return false;
}

#if IRMB_LAYER_HAS_TYPES
void AttentionLayer::getTypes(const std::vector<cv::dnn::MatType>& in, int required_outputs,
                              int required_internals, std::vector<cv::dnn::MatType>& out,
                              std::vector<cv::dnn::MatType>& internals) const {
    out.assign(required_outputs, in.at(0));
    internals.assign(required_internals, in[0]);
}
#endif

int64 AttentionLayer::getFLOPS(const std::vector<MatShape>& in,
                               const std::vector<MatShape>& /*out*/) const {
    const MatShape& x = in.at(0);
    const int64 pixels = static_cast<int64>(x[2]) * x[3];
    return 2 * x[0] * heads_ * pixels * pixels * (dim_key_ + dim_value_);
}

cv::Ptr<cv::dnn::BackendNode>
AttentionLayer::initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
                         const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& /*out*/) {
    const MatShape x = cuda::shapeOf(in.at(0));
    return cuda::makeAttentionNode(context, {x[0], heads_, dim_key_, dim_value_, x[2] * x[3]},
                                   scale_, preferableTarget, name);
}

void AttentionLayer::forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                             cv::OutputArrayOfArrays internals) {
    if (in.depth() == CV_16F) { // OpenCL's half precision: convert, run, convert back
        forward_fallback(in, out, internals);
        return;
    }
    std::vector<cv::Mat> maps;
    std::vector<cv::Mat> results;
    in.getMatVector(maps);
    out.getMatVector(results);
    const cv::Mat& x = maps.at(0);
    CV_Assert(results.size() == (with_values_ ? 2u : 1u));
    const int pixels = x.size[2] * x.size[3];
    const auto matrix = [&](const cv::Mat& map, int image, int channel, int rows) {
        return cv::Mat(rows, pixels, CV_32F, const_cast<float*>(map.ptr<float>(image, channel)));
    };
    cv::Mat weights;
    for (int image = 0; image < x.size[0]; ++image)
        for (int head = 0; head < heads_; ++head) {
            const int first = head * headChannels();
            const cv::Mat q = matrix(x, image, first, dim_key_);
            const cv::Mat k = matrix(x, image, first + dim_key_, dim_key_);
            const cv::Mat v = matrix(x, image, first + 2 * dim_key_, dim_value_);
            cv::gemm(q, k, scale_, cv::noArray(), 0, weights, cv::GEMM_1_T);
            softmaxRows(weights);
            cv::Mat y = matrix(results[0], image, head * dim_value_, dim_value_);
            cv::gemm(v, weights, 1, cv::noArray(), 0, y, cv::GEMM_2_T);
            if (with_values_)
                v.copyTo(matrix(results[1], image, head * dim_value_, dim_value_));
        }
}

} // namespace irmb
