// The kernels for a "device" whose memory is the host's: the references between two conversions.
// They check the pointers that they are given, and spoil their scratch memory as kernels may.
#include "kernels_by_reference.hpp"

#include "cuda/candidates.hpp"
#include "cuda/global_attention.hpp"
#include "cuda/irmb_kernels.hpp"
#include "cuda/pixels.hpp"
#include "cuda_stand_in/half.hpp"
#include "cuda_stand_in/stand_in.hpp"
#include "layer/node_attributes.hpp"
#include "reference/attention_reference.hpp"
#include "reference/irmb_reference.hpp"

#include <irmb_dnn/detection.hpp>

#include <opencv2/core.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace irmb {
namespace {

std::mutex seen_mutex;
std::vector<test::Launch> seen;

/// The tensors that `host` points to, copied.
IrmbWeights copied(const IrmbParams& params, const cuda::HostWeights& host) {
    using Host = cuda::HostWeights;
    const std::pair<cv::Mat IrmbWeights::*, const float * Host::*> members[] = {
        {&IrmbWeights::norm_scale, &Host::norm_scale},
        {&IrmbWeights::norm_shift, &Host::norm_shift},
        {&IrmbWeights::qk_weight, &Host::qk_weight},
        {&IrmbWeights::qk_bias, &Host::qk_bias},
        {&IrmbWeights::v_weight, &Host::v_weight},
        {&IrmbWeights::v_bias, &Host::v_bias},
        {&IrmbWeights::v_slope, &Host::v_slope},
        {&IrmbWeights::local_weight, &Host::local_weight},
        {&IrmbWeights::local_bias, &Host::local_bias},
        {&IrmbWeights::se_reduce_weight, &Host::se_reduce_weight},
        {&IrmbWeights::se_reduce_bias, &Host::se_reduce_bias},
        {&IrmbWeights::se_slope, &Host::se_slope},
        {&IrmbWeights::se_expand_weight, &Host::se_expand_weight},
        {&IrmbWeights::se_expand_bias, &Host::se_expand_bias},
        {&IrmbWeights::proj_weight, &Host::proj_weight},
        {&IrmbWeights::proj_bias, &Host::proj_bias},
    };
    IrmbWeights weights;
    for (const WeightSlot& slot : weightSlots(params)) {
        std::vector<int> shape = slot.shape;
        if ((slot.member == &IrmbWeights::v_slope && host.v_slope_is_single) ||
            (slot.member == &IrmbWeights::se_slope && host.se_slope_is_single))
            shape = {1};
        for (const auto& [tensor, data] : members)
            if (tensor == slot.member)
                weights.*tensor = cv::Mat(shape, CV_32F, const_cast<float*>(host.*data)).clone();
    }
    return weights;
}

void requireDevice(const void* address, std::size_t bytes, const char* what) {
    if (!stand_in::isDeviceMemory(address, bytes))
        throw cuda::Error(std::string(what) + " is not in device memory");
}

cv::Mat toFloat(const float* values, const std::vector<int>& shape) {
    cv::Mat map(shape, CV_32F);
    std::copy(values, values + map.total(), map.ptr<float>());
    return map;
}
cv::Mat toFloat(const __half* values, const std::vector<int>& shape) {
    cv::Mat map(shape, CV_32F);
    const auto* bits = reinterpret_cast<const uint16_t*>(values);
    std::transform(bits, bits + map.total(), map.ptr<float>(), stand_in::floatFromHalf);
    return map;
}

void fromFloat(const cv::Mat& map, float* values) {
    std::copy(map.ptr<float>(), map.ptr<float>() + map.total(), values);
}
void fromFloat(const cv::Mat& map, __half* values) {
    std::transform(map.ptr<float>(), map.ptr<float>() + map.total(),
                   reinterpret_cast<uint16_t*>(values), stand_in::halfFromFloat);
}

} // namespace

namespace cuda {

template <typename T>
struct IrmbKernels<T>::Impl {
    IrmbParams params;
    IrmbWeights weights;
    std::vector<void*> uploaded;

    ~Impl() {
        for (void* tensor : uploaded)
            cudaFree(tensor);
    }
};

template <typename T>
IrmbKernels<T>::IrmbKernels(const IrmbParams& params, const HostWeights& weights,
                            const std::string& /*layer*/)
    : impl_(new Impl{params, copied(params, weights), {}}) {
    for (const WeightSlot& slot : weightSlots(params)) {
        const cv::Mat& tensor = impl_->weights.*slot.member;
        const std::size_t bytes = tensor.total() * tensor.elemSize();
        void* copy = nullptr;
        cudaMalloc(&copy, bytes);
        cudaMemcpy(copy, tensor.data, bytes, cudaMemcpyHostToDevice);
        impl_->uploaded.push_back(copy);
    }
}

template <typename T>
IrmbKernels<T>::~IrmbKernels() = default;

template <typename T>
std::size_t IrmbKernels<T>::scratchBytes(const MapShape& shape) const {
    return std::size_t{100} * shape.images * shape.height * shape.width + 1; // of no round size
}

template <typename T>
std::vector<std::string> IrmbKernels<T>::launches(const MapShape&) const {
    return {};
}

template <typename T>
void IrmbKernels<T>::launch(cudaStream_t stream, const T* x, T* y, void* scratch,
                            const MapShape& shape) const {
    const IrmbParams& p = impl_->params;
    const std::vector<int> in = {shape.images, p.dim_in, shape.height, shape.width};
    const std::size_t pixels = static_cast<std::size_t>(shape.images) * shape.height * shape.width;
    const std::size_t out_pixels =
        static_cast<std::size_t>(shape.images) * outputSize(p, shape.height, shape.width).area();
    requireDevice(x, sizeof(T) * p.dim_in * pixels, "the input");
    requireDevice(y, sizeof(T) * p.dim_out * out_pixels, "the output");
    requireDevice(scratch, scratchBytes(shape), "the scratch memory");
    if (reinterpret_cast<std::uintptr_t>(scratch) % 256 != 0)
        throw Error("the scratch memory is not aligned to 256 bytes");

    std::memset(scratch, 0xff, scratchBytes(shape));
    fromFloat(irmbReference(p, impl_->weights, toFloat(x, in)), y);
    const std::lock_guard lock(seen_mutex);
    seen.push_back({stream, x, y, scratch});
}

template class IrmbKernels<float>;
template class IrmbKernels<__half>;

template <typename T>
void launchGlobalAttention(cudaStream_t stream, const T* x, T* y, T* values,
                           const AttentionShape& shape, float scale, const std::string& /*layer*/) {
    const int channels = shape.heads * (2 * shape.dim_key + shape.dim_value);
    const std::size_t result = sizeof(T) * shape.images * shape.heads * shape.dim_value;
    requireDevice(x, sizeof(T) * shape.images * channels * shape.pixels, "the input");
    requireDevice(y, result * shape.pixels, "the output");
    const cv::Mat map = toFloat(x, {shape.images, channels, 1, shape.pixels});
    fromFloat(attentionReference(map, shape.heads, shape.dim_key, shape.dim_value, scale), y);
    if (values != nullptr) {
        requireDevice(values, result * shape.pixels, "v");
        fromFloat(attentionValues(map, shape.heads, shape.dim_key, shape.dim_value), values);
    }
    const std::lock_guard lock(seen_mutex);
    seen.push_back({stream, x, y, nullptr});
}

template void launchGlobalAttention(cudaStream_t, const float*, float*, float*,
                                    const AttentionShape&, float, const std::string&);
template void launchGlobalAttention(cudaStream_t, const __half*, __half*, __half*,
                                    const AttentionShape&, float, const std::string&);

template <typename T>
void launchPixels(cudaStream_t stream, const unsigned char* bgr, T* planes, int images, int pixels,
                  const std::string& /*layer*/) {
    const std::vector<int> shape = {images, 3, 1, pixels};
    cv::Mat result(shape, CV_32F);
    requireDevice(bgr, result.total(), "the input");
    requireDevice(planes, sizeof(T) * result.total(), "the output");
    for (int i = 0; i < images; ++i)
        for (int pixel = 0; pixel < pixels; ++pixel)
            for (int channel = 0; channel < 3; ++channel)
                result.ptr<float>(i, channel)[pixel] =
                    static_cast<float>(bgr[(i * pixels + pixel) * 3 + 2 - channel]) / 255.f;
    fromFloat(result, planes);
    const std::lock_guard lock(seen_mutex);
    seen.push_back({stream, bgr, planes, nullptr});
}

template void launchPixels(cudaStream_t, const unsigned char*, float*, int, int,
                           const std::string&);
template void launchPixels(cudaStream_t, const unsigned char*, __half*, int, int,
                           const std::string&);

struct CandidateKernels::Impl {
    HeadShape head;
    cv::Mat offsets;
    cv::Mat factors;
    float* uploaded = nullptr; ///< both

    ~Impl() { cudaFree(uploaded); }
};

CandidateKernels::CandidateKernels(const HeadShape& head, const float* offsets,
                                   const float* factors, const std::string& /*layer*/) {
    const auto copy = [&](const float* numbers) {
        return cv::Mat(4, head.anchors, CV_32F, const_cast<float*>(numbers)).clone();
    };
    impl_.reset(new Impl{head, copy(offsets), copy(factors)});
    void* memory = nullptr;
    const std::size_t half = sizeof(float) * 4 * head.anchors;
    cudaMalloc(&memory, 2 * half);
    impl_->uploaded = static_cast<float*>(memory);
    cudaMemcpy(impl_->uploaded, offsets, half, cudaMemcpyHostToDevice);
    cudaMemcpy(impl_->uploaded + 4 * head.anchors, factors, half, cudaMemcpyHostToDevice);
}

CandidateKernels::~CandidateKernels() = default;

std::size_t CandidateKernels::scratchBytes(int images) const {
    return std::size_t{7} * images * impl_->head.anchors + 1; // of no round size
}

template <typename T>
void CandidateKernels::launch(cudaStream_t stream, const T* distances, const T* scores, T* rows,
                              void* scratch, int images) const {
    const auto [classes, anchors, keep] = impl_->head;
    const std::size_t columns = static_cast<std::size_t>(images) * anchors;
    requireDevice(distances, sizeof(T) * 4 * columns, "the distances");
    requireDevice(scores, sizeof(T) * classes * columns, "the scores");
    requireDevice(rows, sizeof(T) * 12 * images * keep, "the output");
    requireDevice(scratch, scratchBytes(images), "the scratch memory");
    std::memset(scratch, 0xff, scratchBytes(images));
    for (int image = 0; image < images; ++image) {
        cv::Mat boxes = toFloat(distances + std::size_t{4} * image * anchors, {4, anchors});
        boxes = impl_->offsets + impl_->factors.mul(boxes);
        cv::Mat head;
        cv::vconcat(boxes,
                    toFloat(scores + static_cast<std::size_t>(image) * classes * anchors,
                            {classes, anchors}),
                    head);
        const cv::Mat exact = endToEnd(head.reshape(1, {1, 4 + classes, anchors}), keep);
        T* rounded = rows + std::size_t{12} * image * keep;
        fromFloat(exact, rounded);
        const cv::Mat rest = exact - toFloat(rounded, {1, keep, 6});
        fromFloat(rest, rounded + std::size_t{6} * keep);
    }
    const std::lock_guard lock(seen_mutex);
    seen.push_back({stream, distances, rows, scratch});
}

template void CandidateKernels::launch(cudaStream_t, const float*, const float*, float*, void*,
                                       int) const;
template void CandidateKernels::launch(cudaStream_t, const __half*, const __half*, __half*, void*,
                                       int) const;

} // namespace cuda

std::vector<test::Launch> test::takeLaunches() {
    const std::lock_guard lock(seen_mutex);
    return std::exchange(seen, {});
}

} // namespace irmb
