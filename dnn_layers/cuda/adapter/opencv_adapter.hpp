#pragma once

#include "cuda/candidates.hpp"
#include "cuda/global_attention.hpp"
#include "layer/opencv_compat.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <memory>
#include <string>

/// The way from OpenCV's CUDA backend to the kernels, for OpenCV 4.x and the classic engine of 5.0:
/// a layer makes a node, and the backend runs it. The classes that this takes are private to
/// OpenCV, so opencv_adapter.cpp is compiled with its private headers. no_adapter.cpp takes its
/// place where they, or the kernels, are not at hand.
namespace irmb::cuda {

/// Whether blocks can be uploaded, in this build and with the OpenCV that is loaded.
bool hasAdapter();

/// Whether tensors of 8-bit values can be on the device. OpenCV 4.x converts such inputs on the
/// host.
bool hasByteTensors();

/// Shape of the tensor behind a wrapper of the CUDA backend.
MatShape shapeOf(const cv::Ptr<cv::dnn::BackendWrapper>& wrapper);

/// One iRMB whose weights lie on the device, in the precision of one of OpenCV's CUDA targets.
class UploadedBlock {
public:
    virtual ~UploadedBlock() = default;

    /// A node for a map of `shape` [B, C, H, W]. `context` is what OpenCV hands to
    /// Layer::initCUDA(). Throws cv::Exception when the map is too large or too small.
    virtual cv::Ptr<cv::dnn::BackendNode> makeNode(const void* context,
                                                   const MatShape& shape) const = 0;
};

/// Prepares and uploads the weights, which have passed checkWeights(). `target` is
/// DNN_TARGET_CUDA or DNN_TARGET_CUDA_FP16. Throws cv::Exception that names `layer`.
std::shared_ptr<const UploadedBlock> upload(const IrmbParams& params, const IrmbWeights& weights,
                                            int target, const std::string& layer);

/// A node of attention among all pixels, in the precision of `target`. Its first output is the
/// result, its second one, if there are two, v. Throws cv::Exception that names `layer` when
/// attentionFits() is false.
cv::Ptr<cv::dnn::BackendNode> makeAttentionNode(const void* context, const AttentionShape& shape,
                                                float scale, int target, const std::string& layer);

/// A node that makes planes in the precision of `target` of 8-bit pixels [images][pixels][3]. Only
/// where hasByteTensors().
cv::Ptr<cv::dnn::BackendNode> makePixelNode(const void* context, int images, int pixels, int target,
                                            const std::string& layer);

/// A node that reduces a batch of heads to their best candidates (layer/candidate_layer.hpp), in
/// the precision of `target`. `offsets` and `factors`: float32 [4, head.anchors]. Throws
/// cv::Exception that names `layer` when candidatesFit() is false or device memory cannot be had.
cv::Ptr<cv::dnn::BackendNode> makeCandidateNode(const void* context, int images,
                                                const HeadShape& head, const cv::Mat& offsets,
                                                const cv::Mat& factors, int target,
                                                const std::string& layer);

} // namespace irmb::cuda
