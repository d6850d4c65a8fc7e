#pragma once

#include "layer/float_layer.hpp"

namespace irmb {

constexpr char pixel_op[] = "Pixels"; ///< in the domain "irmb"

/// The node `irmb::Pixels` as a layer of OpenCV's DNN module: what a network for CUDA begins with
/// when its input is 8-bit, so that a quarter of the bytes is uploaded and no float is made on the
/// host. It exists in memory alone: readModel() puts it there.
///
/// Input: 8-bit [B, H, W, 3], BGR; output: float32 [B, 3, H, W], RGB, 0..1.
class PixelLayer : public FloatLayer {
public:
    explicit PixelLayer(const cv::dnn::LayerParams& params) : FloatLayer(params) {}

    static cv::Ptr<cv::dnn::Layer> create(cv::dnn::LayerParams& params);

    bool supportBackend(int backend) override;
    bool getMemoryShapes(const std::vector<MatShape>& in, int required_outputs,
                         std::vector<MatShape>& out,
                         std::vector<MatShape>& internals) const override;
    cv::Ptr<cv::dnn::BackendNode>
    initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
             const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& out) override;

    void forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                 cv::OutputArrayOfArrays internals) override;
};

} // namespace irmb
