#pragma once

#include "layer/float_layer.hpp"

namespace irmb {

constexpr char candidate_op[] = "Candidates"; ///< in the domain "irmb"

/// The node `irmb::Candidates` as a layer of OpenCV's DNN module: what a YOLOv10 for CUDA ends with
/// so that its best candidates alone come back from the device, as its NMS-free tail would have
/// them. It exists in memory alone: readModel() puts it there.
///
/// Inputs: float32 distances [B, 4, N] and scores [B, classes, N], and as constants offsets and
/// factors [4, N], which make the corners: x1, y1, x2, y2 = offset + factor * distance, in float
/// whatever the precision of the target.
/// Output: float32 [B, 2, keep, 6], two parts to be added (addedParts()): rows x1, y1, x2, y2,
/// score, class in the precision of the target, and what rounding to it took away. Best first;
/// zeros where there are fewer than `keep`, which is at most N.
class CandidateLayer : public FloatLayer {
public:
    explicit CandidateLayer(const cv::dnn::LayerParams& params);

    static cv::Ptr<cv::dnn::Layer> create(cv::dnn::LayerParams& params);

    bool supportBackend(int backend) override;
    bool getMemoryShapes(const std::vector<MatShape>& in, int required_outputs,
                         std::vector<MatShape>& out,
                         std::vector<MatShape>& internals) const override;
    cv::Ptr<cv::dnn::BackendNode>
    initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
             const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& out) override;

    /// The naive reference: all boxes, and irmb::endToEnd() of the whole head.
    void forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                 cv::OutputArrayOfArrays internals) override;

private:
    int keep_;
};

/// [B, keep, 6] of the layer's output, in memory of its own.
cv::Mat addedParts(const cv::Mat& output);

} // namespace irmb
