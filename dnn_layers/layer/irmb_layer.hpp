#pragma once

#include "layer/node_attributes.hpp"
#include "layer/opencv_compat.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace irmb {

class IrmbCpu;
namespace cuda {
class UploadedBlock;
}

/// The node `irmb::iRMB` (docs/irmb-node.md) as a layer of OpenCV's DNN module. Its first input is
/// the map; the weights arrive in `blobs` (OpenCV 4.x, classic engine of 5.0) or as further,
/// constant inputs (new engine of 5.0). Attributes are checked once the input is known, since the
/// new engine's importer hides the message of what a constructor throws.
class IrmbLayer : public cv::dnn::Layer {
public:
    explicit IrmbLayer(const cv::dnn::LayerParams& params);
    ~IrmbLayer() override;

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
    /// Multiplications and additions count one each.
    int64 getFLOPS(const std::vector<MatShape>& in,
                   const std::vector<MatShape>& out) const override;

    /// A node for OpenCV's CUDA backend. Weights are uploaded once, whatever input sizes follow.
    cv::Ptr<cv::dnn::BackendNode>
    initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
             const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& out) override;

    void finalize(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out) override;
    void forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                 cv::OutputArrayOfArrays internals) override;

private:
    struct Packed;
    struct Uploaded;

    IrmbParams paramsFor(int channels) const;
    std::vector<cv::Mat> weightTensors(const std::vector<cv::Mat>& in) const;
    std::shared_ptr<const Packed> pack(const std::vector<cv::Mat>& in);
    std::shared_ptr<const cuda::UploadedBlock> upload(int channels);

    cv::dnn::LayerParams attributes_;
    mutable std::mutex mutex_; ///< guards what follows
    mutable std::optional<IrmbParams> params_;
    std::shared_ptr<const Packed> packed_;
    std::shared_ptr<const Uploaded> uploaded_;
};

} // namespace irmb
