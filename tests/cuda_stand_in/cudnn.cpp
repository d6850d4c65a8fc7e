#include "numbers.hpp"

#include <cmath>
#include <cudnn.h>
#include <limits>

/// What YOLOv10 needs of cuDNN, plainly: convolutions, pooling and softmax of tensors of four
/// dimensions, NCHW, one element after the other, summed in float. Other tensors are refused.
namespace stand_in {
namespace {

struct Shape {
    int n = 0, c = 0, h = 0, w = 0;
    Precision precision = Precision::Float;

    std::size_t elements() const { return std::size_t(n) * c * h * w; }
    std::size_t at(int i, int j, int y, int x) const {
        return ((std::size_t(i) * c + j) * h + y) * w + x;
    }
};

/// Sliding of a window along an axis.
struct Axis {
    int padding = 0;
    int stride = 1;
    int dilation = 1;
    int window = 1; ///< of pooling

    int positions(int size, int taps) const {
        return (size + 2 * padding - dilation * (taps - 1) - 1) / stride + 1;
    }
    /// Where tap `tap` of position `position` lies; beyond the ends for padding.
    int place(int position, int tap) const { return position * stride - padding + tap * dilation; }
};

struct Window {
    Axis y;
    Axis x;
    int groups = 1;
    cudnnPoolingMode_t mode = CUDNN_POOLING_MAX;
};

struct Other {}; // kinds of descriptors that nothing is read from

template <typename To, typename Handle>
const To& as(Handle handle) {
    return *reinterpret_cast<const To*>(handle);
}

template <typename To, typename Handle, typename... Values>
cudnnStatus_t assign(Handle handle, const Values&... values) {
    *reinterpret_cast<To*>(handle) = {values...};
    return CUDNN_STATUS_SUCCESS;
}

/// to = alpha * values + beta * to. The factors are float also for half tensors.
void blend(const std::vector<float>& values, const void* alpha, const void* beta, void* to,
           const Shape& shape) {
    const float scale = *static_cast<const float*>(alpha);
    const float keep = *static_cast<const float*>(beta);
    std::vector<float> result(values.size());
    std::vector<float> before;
    if (keep != 0.f)
        before = read(to, shape.precision, values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        result[i] = scale * values[i] + (keep != 0.f ? keep * before[i] : 0.f);
    write(result, to, shape.precision);
}

/// Adds the products of one filter plane to one plane of a result.
void addProducts(const float* from, const Shape& in, const float* weights, const Shape& filter,
                 const Window& window, float* to, const Shape& out) {
    for (int i = 0; i < filter.h; ++i)
        for (int j = 0; j < filter.w; ++j)
            for (int y = 0; y < out.h; ++y) {
                const int row = window.y.place(y, i);
                if (row < 0 || row >= in.h)
                    continue;
                for (int x = 0; x < out.w; ++x) {
                    const int column = window.x.place(x, j);
                    if (column >= 0 && column < in.w)
                        to[y * out.w + x] += weights[i * filter.w + j] * from[row * in.w + column];
                }
            }
}

std::vector<float> convolve(const void* x, const Shape& in, const void* w, const Shape& filter,
                            const Window& window, const Shape& out) {
    const std::vector<float> from = read(x, in.precision, in.elements());
    const std::vector<float> weights = read(w, filter.precision, filter.elements());
    std::vector<float> to(out.elements(), 0.f);
    const int group_outputs = out.c / window.groups;
    for (int image = 0; image < out.n; ++image)
        for (int o = 0; o < out.c; ++o)
            for (int k = 0; k < filter.c; ++k)
                addProducts(&from[in.at(image, o / group_outputs * filter.c + k, 0, 0)], in,
                            &weights[filter.at(o, k, 0, 0)], filter, window,
                            &to[out.at(image, o, 0, 0)], out);
    return to;
}

float pooled(const float* from, const Shape& in, const Window& window, int y, int x) {
    const bool is_max = window.mode == CUDNN_POOLING_MAX;
    float result = is_max ? -std::numeric_limits<float>::infinity() : 0.f;
    int count = 0;
    for (int i = 0; i < window.y.window; ++i)
        for (int j = 0; j < window.x.window; ++j) {
            const int row = window.y.place(y, i);
            const int column = window.x.place(x, j);
            if (row < 0 || row >= in.h || column < 0 || column >= in.w)
                continue;
            const float value = from[row * in.w + column];
            result = is_max ? std::max(result, value) : result + value;
            ++count;
        }
    const bool counts_padding = window.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING;
    const int divisor = counts_padding ? window.y.window * window.x.window : count;
    return is_max ? result : result / static_cast<float>(divisor);
}

void softmaxOverChannels(std::vector<float>& values, const Shape& shape, bool of_log) {
    for (int i = 0; i < shape.n; ++i)
        for (int pixel = 0; pixel < shape.h * shape.w; ++pixel) {
            const auto value = [&](int c) -> float& { return values[shape.at(i, c, 0, pixel)]; };
            float top = value(0);
            for (int c = 1; c < shape.c; ++c)
                top = std::max(top, value(c));
            float sum = 0.f;
            for (int c = 0; c < shape.c; ++c)
                sum += std::exp(value(c) - top);
            for (int c = 0; c < shape.c; ++c)
                value(c) = of_log ? value(c) - top - std::log(sum) : std::exp(value(c) - top) / sum;
        }
}

cudnnStatus_t describe(Shape* shape, cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c,
                       int h, int w) {
    const bool is_known = type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_HALF;
    if (format != CUDNN_TENSOR_NCHW || !is_known)
        return CUDNN_STATUS_NOT_SUPPORTED;
    *shape = {n, c, h, w, type == CUDNN_DATA_HALF ? Precision::Half : Precision::Float};
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t zero(std::size_t* bytes) {
    *bytes = 0;
    return CUDNN_STATUS_SUCCESS;
}

} // namespace
} // namespace stand_in

using namespace stand_in;

// Creates and destroys a kind of descriptor.
#define STAND_IN_DESCRIPTOR(name, Type)                                                            \
    cudnnStatus_t cudnnCreate##name##Descriptor(cudnn##name##Descriptor_t* descriptor) {           \
        *descriptor = reinterpret_cast<cudnn##name##Descriptor_t>(new Type);                       \
        return CUDNN_STATUS_SUCCESS;                                                               \
    }                                                                                              \
    cudnnStatus_t cudnnDestroy##name##Descriptor(cudnn##name##Descriptor_t descriptor) {           \
        delete reinterpret_cast<Type*>(descriptor);                                                \
        return CUDNN_STATUS_SUCCESS;                                                               \
    }

extern "C" {

STAND_IN_DESCRIPTOR(Activation, Other)
STAND_IN_DESCRIPTOR(Convolution, Window)
STAND_IN_DESCRIPTOR(Dropout, Other)
STAND_IN_DESCRIPTOR(Filter, Shape)
STAND_IN_DESCRIPTOR(LRN, Other)
STAND_IN_DESCRIPTOR(Pooling, Window)
STAND_IN_DESCRIPTOR(RNN, Other)
STAND_IN_DESCRIPTOR(RNNData, Other)
STAND_IN_DESCRIPTOR(Tensor, Shape)
STAND_IN_DESCRIPTOR(TensorTransform, Other)

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    *handle = reinterpret_cast<cudnnHandle_t>(new Other);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    delete reinterpret_cast<Other*>(handle);
    return CUDNN_STATUS_SUCCESS;
}
std::size_t cudnnGetVersion() {
    return CUDNN_VERSION;
}
const char* cudnnGetErrorString(cudnnStatus_t /*status*/) {
    return "refused by the stand-in of cuDNN";
}

// Tensors.

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor,
                                         cudnnTensorFormat_t format, cudnnDataType_t type, int n,
                                         int c, int h, int w) {
    return describe(reinterpret_cast<Shape*>(descriptor), format, type, n, c, h, w);
}
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t /*descriptor*/,
                                         cudnnDataType_t /*type*/, int /*dims*/,
                                         const int /*sizes*/[], const int /*strides*/[]) {
    return CUDNN_STATUS_NOT_SUPPORTED;
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
    return describe(reinterpret_cast<Shape*>(descriptor), format, type, k, c, h, w);
}
cudnnStatus_t cudnnGetTensorNdDescriptor(const cudnnTensorDescriptor_t descriptor, int most_dims,
                                         cudnnDataType_t* type, int* dims, int* sizes,
                                         int* strides) {
    if (most_dims < 4)
        return CUDNN_STATUS_NOT_SUPPORTED;
    const Shape& shape = as<Shape>(descriptor);
    *type = shape.precision == Precision::Half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
    *dims = 4;
    const int all[] = {shape.n, shape.c, shape.h, shape.w};
    for (int i = 3, step = 1; i >= 0; step *= all[i--]) {
        strides[i] = step;
        sizes[i] = all[i];
    }
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetTensorSizeInBytes(const cudnnTensorDescriptor_t descriptor,
                                        std::size_t* bytes) {
    const Shape& shape = as<Shape>(descriptor);
    *bytes = shape.elements() * (shape.precision == Precision::Half ? 2 : 4);
    return CUDNN_STATUS_SUCCESS;
}

// Convolutions.

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_y,
                                              int pad_x, int stride_y, int stride_x, int dilation_y,
                                              int dilation_x, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t /*type*/) {
    if (mode != CUDNN_CROSS_CORRELATION)
        return CUDNN_STATUS_NOT_SUPPORTED;
    return assign<Window>(descriptor, Axis{pad_y, stride_y, dilation_y, 1},
                          Axis{pad_x, stride_x, dilation_x, 1});
}
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t descriptor, int groups) {
    reinterpret_cast<Window*>(descriptor)->groups = groups;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionNdForwardOutputDim(const cudnnConvolutionDescriptor_t convolution,
                                                    const cudnnTensorDescriptor_t input,
                                                    const cudnnFilterDescriptor_t filter_of,
                                                    int dims, int sizes[]) {
    if (dims != 4)
        return CUDNN_STATUS_NOT_SUPPORTED;
    const Shape& in = as<Shape>(input);
    const Shape& filter = as<Shape>(filter_of);
    const Window& window = as<Window>(convolution);
    sizes[0] = in.n;
    sizes[1] = filter.n;
    sizes[2] = window.y.positions(in.h, filter.h);
    sizes[3] = window.x.positions(in.w, filter.w);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t /*handle*/, int* count) {
    *count = 1;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
    cudnnHandle_t /*handle*/, const cudnnTensorDescriptor_t /*input*/,
    const cudnnFilterDescriptor_t /*filter*/, const cudnnConvolutionDescriptor_t /*convolution*/,
    const cudnnTensorDescriptor_t /*output*/, const int /*requested*/, int* returned,
    cudnnConvolutionFwdAlgoPerf_t* results) {
    *returned = 1;
    results[0] = {};
    results[0].algo = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
    results[0].status = CUDNN_STATUS_SUCCESS;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(
    cudnnHandle_t /*handle*/, const cudnnTensorDescriptor_t /*input*/,
    const cudnnFilterDescriptor_t /*filter*/, const cudnnConvolutionDescriptor_t /*convolution*/,
    const cudnnTensorDescriptor_t /*output*/, cudnnConvolutionFwdAlgo_t /*algorithm*/,
    std::size_t* bytes) {
    return zero(bytes);
}
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t /*handle*/, const void* alpha,
                                      const cudnnTensorDescriptor_t input, const void* x,
                                      const cudnnFilterDescriptor_t filter, const void* w,
                                      const cudnnConvolutionDescriptor_t convolution,
                                      cudnnConvolutionFwdAlgo_t /*algorithm*/, void* /*workspace*/,
                                      std::size_t /*workspace_bytes*/, const void* beta,
                                      const cudnnTensorDescriptor_t output, void* y) {
    const Shape& out = as<Shape>(output);
    blend(convolve(x, as<Shape>(input), w, as<Shape>(filter), as<Window>(convolution), out), alpha,
          beta, y, out);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t /*descriptor*/,
                                           cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t /*nan*/, double /*ceiling*/) {
    return mode == CUDNN_ACTIVATION_RELU ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
}
cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t /*handle*/, const void* alpha, const cudnnTensorDescriptor_t input, const void* x,
    const cudnnFilterDescriptor_t filter, const void* w,
    const cudnnConvolutionDescriptor_t convolution, cudnnConvolutionFwdAlgo_t /*algorithm*/,
    void* /*workspace*/, std::size_t /*workspace_bytes*/, const void* alpha2,
    const cudnnTensorDescriptor_t added, const void* z, const cudnnTensorDescriptor_t bias_of,
    const void* bias, const cudnnActivationDescriptor_t /*activation*/,
    const cudnnTensorDescriptor_t output, void* y) {
    const Shape& out = as<Shape>(output);
    const Shape& bias_shape = as<Shape>(bias_of);
    std::vector<float> sum =
        convolve(x, as<Shape>(input), w, as<Shape>(filter), as<Window>(convolution), out);
    const std::vector<float> biases = read(bias, bias_shape.precision, bias_shape.elements());
    const std::vector<float> addends = read(z, as<Shape>(added).precision, out.elements());
    const float scale = *static_cast<const float*>(alpha);
    const float scale2 = *static_cast<const float*>(alpha2);
    const std::size_t plane = std::size_t(out.h) * out.w;
    for (std::size_t i = 0; i < sum.size(); ++i) {
        const float second = scale2 != 0.f ? scale2 * addends[i] : 0.f;
        sum[i] = std::max(0.f, scale * sum[i] + second + biases[i / plane % out.c]);
    }
    write(sum, y, out.precision);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t /*handle*/,
                                                               int* count) {
    *count = 1;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t /*handle*/, const cudnnFilterDescriptor_t /*filter*/,
    const cudnnTensorDescriptor_t /*output*/, const cudnnConvolutionDescriptor_t /*convolution*/,
    const cudnnTensorDescriptor_t /*input*/, const int /*requested*/, int* returned,
    cudnnConvolutionBwdDataAlgoPerf_t* results) {
    *returned = 1;
    results[0] = {};
    results[0].algo = CUDNN_CONVOLUTION_BWD_DATA_ALGO_0;
    results[0].status = CUDNN_STATUS_SUCCESS;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t /*handle*/, const cudnnFilterDescriptor_t /*filter*/,
    const cudnnTensorDescriptor_t /*output*/, const cudnnConvolutionDescriptor_t /*convolution*/,
    const cudnnTensorDescriptor_t /*input*/, cudnnConvolutionBwdDataAlgo_t /*algorithm*/,
    std::size_t* bytes) {
    return zero(bytes);
}

// Pooling and softmax.

cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t descriptor,
                                          cudnnPoolingMode_t mode, cudnnNanPropagation_t /*nan*/,
                                          int window_y, int window_x, int pad_y, int pad_x,
                                          int stride_y, int stride_x) {
    return assign<Window>(descriptor, Axis{pad_y, stride_y, 1, window_y},
                          Axis{pad_x, stride_x, 1, window_x}, 1, mode);
}
cudnnStatus_t cudnnGetPoolingNdForwardOutputDim(const cudnnPoolingDescriptor_t pooling,
                                                const cudnnTensorDescriptor_t input, int dims,
                                                int sizes[]) {
    if (dims != 4)
        return CUDNN_STATUS_NOT_SUPPORTED;
    const Shape& in = as<Shape>(input);
    const Window& window = as<Window>(pooling);
    sizes[0] = in.n;
    sizes[1] = in.c;
    sizes[2] = window.y.positions(in.h, window.y.window);
    sizes[3] = window.x.positions(in.w, window.x.window);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnPoolingForward(cudnnHandle_t /*handle*/, const cudnnPoolingDescriptor_t pooling,
                                  const void* alpha, const cudnnTensorDescriptor_t input,
                                  const void* x, const void* beta,
                                  const cudnnTensorDescriptor_t output, void* y) {
    const Shape& in = as<Shape>(input);
    const Shape& out = as<Shape>(output);
    const std::vector<float> from = read(x, in.precision, in.elements());
    std::vector<float> to(out.elements());
    for (int i = 0; i < out.n; ++i)
        for (int c = 0; c < out.c; ++c)
            for (int row = 0; row < out.h; ++row)
                for (int column = 0; column < out.w; ++column)
                    to[out.at(i, c, row, column)] =
                        pooled(&from[in.at(i, c, 0, 0)], in, as<Window>(pooling), row, column);
    blend(to, alpha, beta, y, out);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t /*handle*/, cudnnSoftmaxAlgorithm_t algorithm,
                                  cudnnSoftmaxMode_t mode, const void* alpha,
                                  const cudnnTensorDescriptor_t input, const void* x,
                                  const void* beta, const cudnnTensorDescriptor_t output, void* y) {
    if (mode != CUDNN_SOFTMAX_MODE_CHANNEL)
        return CUDNN_STATUS_NOT_SUPPORTED;
    const Shape& in = as<Shape>(input);
    std::vector<float> values = read(x, in.precision, in.elements());
    softmaxOverChannels(values, in, algorithm == CUDNN_SOFTMAX_LOG);
    blend(values, alpha, beta, y, as<Shape>(output));
    return CUDNN_STATUS_SUCCESS;
}

// For layers that no network here has.

cudnnStatus_t cudnnDropoutGetStatesSize(cudnnHandle_t /*handle*/, std::size_t* bytes) {
    return zero(bytes);
}
cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t /*handle*/, cudnnRNNDescriptor_t /*rnn*/,
                                        cudnnForwardMode_t /*mode*/,
                                        cudnnRNNDataDescriptor_t /*input*/, std::size_t* workspace,
                                        std::size_t* reserve) {
    zero(workspace);
    return reserve ? zero(reserve) : CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t /*handle*/, cudnnRNNDescriptor_t /*rnn*/,
                                         std::size_t* bytes) {
    return zero(bytes);
}

} // extern "C"
