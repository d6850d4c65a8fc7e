#include "cuda/adapter/opencv_adapter.hpp"

#include "cuda/host_weights.hpp"
#include "cuda/irmb_kernels.hpp"
#include "cuda/pixels.hpp"

#define HAVE_CUDA 1
#include <opencv2/core.hpp>

#include <op_cuda.hpp>

// OpenCV's library holds these too, but does not export them. They complete the base class of our
// node; the conversions are called on no path that this file takes.
namespace cv::dnn {

BackendNode::BackendNode(int backend_id) : backendId(backend_id) {}
BackendNode::~BackendNode() = default;

namespace cuda4dnn::kernels {

void fp32_to_fp16(const csl::Stream&, csl::Span<half>, csl::View<float>) {
    CV_Error(Error::StsInternal, "iRMB: unexpected conversion to half precision");
}

void fp16_to_fp32(const csl::Stream&, csl::Span<float>, csl::View<half>) {
    CV_Error(Error::StsInternal, "iRMB: unexpected conversion to single precision");
}

} // namespace cuda4dnn::kernels
} // namespace cv::dnn

namespace irmb::cuda {
namespace {

namespace csl = cv::dnn::cuda4dnn::csl;
using Wrapper = cv::Ptr<cv::dnn::BackendWrapper>;

cv::dnn::CUDABackendWrapper& cudaWrapper(const Wrapper& wrapper) {
    CV_Assert(wrapper && wrapper->backendId == cv::dnn::DNN_BACKEND_CUDA);
    return static_cast<cv::dnn::CUDABackendWrapper&>(*wrapper);
}

template <typename T>
const T* read(const Wrapper& wrapper) {
    cudaWrapper(wrapper).copyToDevice(); // a virtual call: OpenCV's code converts where needed
    using Typed = cv::dnn::GetCUDABackendWrapperType<T>;
    return static_cast<Typed&>(cudaWrapper(wrapper)).getView().get().get();
}

template <typename T>
T* written(const Wrapper& wrapper) {
    using Typed = cv::dnn::GetCUDABackendWrapperType<T>;
    return static_cast<Typed&>(cudaWrapper(wrapper)).getSpan().get().get();
}

/// Errors of the kernels as OpenCV's.
template <typename Function>
auto rethrown(Function function) {
    try {
        return function();
    } catch (const Error& error) {
        CV_Error(cv::Error::GpuApiCallError, error.what());
    }
}

/// What a node must ask for to have `bytes` of the shared workspace, which rounds.
std::size_t workspaceBytes(std::size_t bytes) {
    csl::WorkspaceBuilder builder;
    builder.require(bytes);
    return builder.required_workspace_size();
}

void* scratchOf(csl::Workspace& workspace, std::size_t bytes) {
    if (bytes == 0)
        return nullptr;
    csl::WorkspaceAllocator allocator(workspace);
    return allocator.get_instance(bytes).get<void>().get();
}

/// `T` is float or half, as in OpenCV's tensors.
template <typename T>
class Node final : public cv::dnn::CUDABackendNode {
public:
    Node(csl::Stream stream, std::shared_ptr<const IrmbKernels<T>> kernels, const MapShape& shape)
        : stream_(std::move(stream)),
          kernels_(std::move(kernels)),
          shape_(shape),
          scratch_bytes_(kernels_->scratchBytes(shape)) {}

    void forward(const std::vector<Wrapper>& in, const std::vector<Wrapper>& out,
                 csl::Workspace& workspace) override {
        CV_Assert(in.size() == 1 && out.size() == 1);
        const T* x = read<T>(in[0]);
        T* y = written<T>(out[0]);
        void* scratch = scratchOf(workspace, scratch_bytes_);
        rethrown([&] { kernels_->launch(stream_.get(), x, y, scratch, shape_); });
    }

    std::size_t get_workspace_memory_in_bytes() const noexcept override {
        return workspaceBytes(scratch_bytes_);
    }

private:
    csl::Stream stream_;
    std::shared_ptr<const IrmbKernels<T>> kernels_;
    MapShape shape_;
    std::size_t scratch_bytes_;
};

template <typename T>
class TypedBlock final : public UploadedBlock {
public:
    TypedBlock(const IrmbParams& params, const IrmbWeights& weights, const std::string& layer)
        : kernels_(std::make_shared<const IrmbKernels<T>>(params, hostWeights(weights), layer)) {}

    cv::Ptr<cv::dnn::BackendNode> makeNode(const void* context,
                                           const MatShape& shape) const override {
        const auto& stream = static_cast<const csl::CSLContext*>(context)->stream;
        return rethrown([&]() -> cv::Ptr<cv::dnn::BackendNode> {
            return cv::makePtr<Node<T>>(stream, kernels_, MapShape{shape[0], shape[2], shape[3]});
        });
    }

private:
    std::shared_ptr<const IrmbKernels<T>> kernels_;
};

/// `T` is float or half, as in OpenCV's tensors.
template <typename T>
class AttentionNode final : public cv::dnn::CUDABackendNode {
public:
    AttentionNode(csl::Stream stream, const AttentionShape& shape, float scale,
                  const std::string& layer)
        : stream_(std::move(stream)), shape_(shape), scale_(scale), layer_(layer) {}

    void forward(const std::vector<Wrapper>& in, const std::vector<Wrapper>& out,
                 csl::Workspace& /*workspace*/) override {
        CV_Assert(in.size() == 1 && (out.size() == 1 || out.size() == 2));
        const T* x = read<T>(in[0]);
        T* y = written<T>(out[0]);
        T* values = out.size() > 1 ? written<T>(out[1]) : nullptr;
        rethrown(
            [&] { launchGlobalAttention(stream_.get(), x, y, values, shape_, scale_, layer_); });
    }

private:
    csl::Stream stream_;
    AttentionShape shape_;
    float scale_;
    std::string layer_;
};

/// `T` is float or half, as in OpenCV's tensors.
template <typename T>
class CandidateNode final : public cv::dnn::CUDABackendNode {
public:
    CandidateNode(csl::Stream stream, std::shared_ptr<const CandidateKernels> kernels, int images)
        : stream_(std::move(stream)),
          kernels_(std::move(kernels)),
          images_(images),
          scratch_bytes_(kernels_->scratchBytes(images)) {}

    void forward(const std::vector<Wrapper>& in, const std::vector<Wrapper>& out,
                 csl::Workspace& workspace) override {
        CV_Assert(in.size() == 2 && out.size() == 1);
        const T* distances = read<T>(in[0]);
        const T* scores = read<T>(in[1]);
        T* rows = written<T>(out[0]);
        void* scratch = scratchOf(workspace, scratch_bytes_);
        rethrown(
            [&] { kernels_->launch(stream_.get(), distances, scores, rows, scratch, images_); });
    }

    std::size_t get_workspace_memory_in_bytes() const noexcept override {
        return workspaceBytes(scratch_bytes_);
    }

private:
    csl::Stream stream_;
    std::shared_ptr<const CandidateKernels> kernels_;
    int images_;
    std::size_t scratch_bytes_;
};

#if CV_VERSION_MAJOR >= 5

/// `T` is float or half, as in OpenCV's tensors.
template <typename T>
class PixelNode final : public cv::dnn::CUDABackendNode {
public:
    PixelNode(csl::Stream stream, int images, int pixels, const std::string& layer)
        : stream_(std::move(stream)), images_(images), pixels_(pixels), layer_(layer) {}

    void forward(const std::vector<Wrapper>& in, const std::vector<Wrapper>& out,
                 csl::Workspace& /*workspace*/) override {
        CV_Assert(in.size() == 1 && out.size() == 1 && in[0]->getHostMatDepth() == CV_8U);
        const unsigned char* bgr = read<unsigned char>(in[0]);
        T* planes = written<T>(out[0]);
        rethrown([&] { launchPixels(stream_.get(), bgr, planes, images_, pixels_, layer_); });
    }

private:
    csl::Stream stream_;
    int images_;
    int pixels_;
    std::string layer_;
};

#endif

} // namespace

bool hasAdapter() {
    // The layout of private classes holds for one version alone.
    static const bool same_version = cv::getVersionString() == CV_VERSION;
    return same_version;
}

bool hasByteTensors() {
    return CV_VERSION_MAJOR >= 5 && hasAdapter();
}

MatShape shapeOf(const Wrapper& wrapper) {
    return cudaWrapper(wrapper).getShape();
}

std::shared_ptr<const UploadedBlock> upload(const IrmbParams& params, const IrmbWeights& weights,
                                            int target, const std::string& layer) {
    return rethrown([&]() -> std::shared_ptr<const UploadedBlock> {
        if (target == cv::dnn::DNN_TARGET_CUDA_FP16)
            return std::make_shared<TypedBlock<half>>(params, weights, layer);
        return std::make_shared<TypedBlock<float>>(params, weights, layer);
    });
}

cv::Ptr<cv::dnn::BackendNode> makeAttentionNode(const void* context, const AttentionShape& shape,
                                                float scale, int target, const std::string& layer) {
    if (!attentionFits(shape))
        CV_Error(cv::Error::StsOutOfRange,
                 "GlobalAttention '" + layer + "': the map is too large for the CUDA kernel");
    const auto& stream = static_cast<const csl::CSLContext*>(context)->stream;
    if (target == cv::dnn::DNN_TARGET_CUDA_FP16)
        return cv::makePtr<AttentionNode<half>>(stream, shape, scale, layer);
    return cv::makePtr<AttentionNode<float>>(stream, shape, scale, layer);
}

cv::Ptr<cv::dnn::BackendNode> makeCandidateNode(const void* context, int images,
                                                const HeadShape& head, const cv::Mat& offsets,
                                                const cv::Mat& factors, int target,
                                                const std::string& layer) {
    CV_Assert(offsets.type() == CV_32F && offsets.isContinuous() && factors.type() == CV_32F &&
              factors.isContinuous() && offsets.total() == std::size_t{4} * head.anchors &&
              factors.total() == offsets.total());
    if (!candidatesFit(head, images))
        CV_Error(cv::Error::StsOutOfRange,
                 "Candidates '" + layer + "': the head is too large for the CUDA kernels");
    const auto& stream = static_cast<const csl::CSLContext*>(context)->stream;
    return rethrown([&]() -> cv::Ptr<cv::dnn::BackendNode> {
        auto kernels = std::make_shared<const CandidateKernels>(head, offsets.ptr<float>(),
                                                                factors.ptr<float>(), layer);
        if (target == cv::dnn::DNN_TARGET_CUDA_FP16)
            return cv::makePtr<CandidateNode<half>>(stream, std::move(kernels), images);
        return cv::makePtr<CandidateNode<float>>(stream, std::move(kernels), images);
    });
}

cv::Ptr<cv::dnn::BackendNode> makePixelNode(const void* context, int images, int pixels, int target,
                                            const std::string& layer) {
#if CV_VERSION_MAJOR >= 5
    const auto& stream = static_cast<const csl::CSLContext*>(context)->stream;
    if (target == cv::dnn::DNN_TARGET_CUDA_FP16)
        return cv::makePtr<PixelNode<half>>(stream, images, pixels, layer);
    return cv::makePtr<PixelNode<float>>(stream, images, pixels, layer);
#else
    (void)context, (void)images, (void)pixels, (void)target;
    CV_Error(cv::Error::StsNotImplemented,
             "Pixels '" + layer + "': OpenCV 4.x has no 8-bit tensors on the device");
#endif
}

} // namespace irmb::cuda
