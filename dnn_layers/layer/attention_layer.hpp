#pragma once

#include "layer/opencv_compat.hpp"

namespace irmb {

constexpr char attention_op[] = "GlobalAttention"; ///< in the domain "irmb"

/// The node `irmb::GlobalAttention` as a layer of OpenCV's DNN module: attention among all pixels
/// of a map, as in YOLOv10's PSA. It exists in memory alone: readModel() puts it into graphs for
/// CUDA, where OpenCV's batched products upload lists of pointers in every pass.
///
/// Input: float32 [B, heads * (2 * dim_key + dim_value), H, W], channels q, k and v of each head.
/// First output: softmax(q^T k * scale) v, [B, heads * dim_value, H, W]; second one, with the
/// attribute `with_values`: v, of the same shape.
class AttentionLayer : public cv::dnn::Layer {
public:
    explicit AttentionLayer(const cv::dnn::LayerParams& params);

    static cv::Ptr<cv::dnn::Layer> create(cv::dnn::LayerParams& params);

    bool supportBackend(int backend) override;
    bool getMemoryShapes(const std::vector<MatShape>& in, int required_outputs,
                         std::vector<MatShape>& out,
                         std::vector<MatShape>& internals) const override;
#if IRMB_LAYER_HAS_TYPES
    void getTypes(const std::vector<cv::dnn::MatType>& in, int required_outputs,
                  int required_internals, std::vector<cv::dnn::MatType>& out,
                  std::vector<cv::dnn::MatType>& internals) const override;
#endif
    /// Multiplications and additions of the two products count one each.
    int64 getFLOPS(const std::vector<MatShape>& in,
                   const std::vector<MatShape>& out) const override;

    cv::Ptr<cv::dnn::BackendNode>
    initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
             const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& out) override;

    void forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                 cv::OutputArrayOfArrays internals) override;

private:
    int headChannels() const {
        return 2 * dim_key_ + dim_value_;
    }

    int heads_;
    int dim_key_;
    int dim_value_;
    float scale_;
    bool with_values_;
};

} // namespace irmb
