#include <algorithm>
#include <cstdlib>
#include <cudnn.h>

/// The functions of cuDNN that return more than a status. Descriptors are empty: nothing is
/// computed, so nothing needs to be remembered.
namespace {

template <typename Handle>
cudnnStatus_t make(Handle* handle) {
    *handle = reinterpret_cast<Handle>(std::malloc(1));
    return CUDNN_STATUS_SUCCESS;
}

template <typename Handle>
cudnnStatus_t destroy(Handle handle) {
    std::free(handle);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t zero(std::size_t* bytes) {
    *bytes = 0;
    return CUDNN_STATUS_SUCCESS;
}

} // namespace

// Creates and destroys a kind of descriptor.
#define STAND_IN_DESCRIPTOR(name)                                                                  \
    cudnnStatus_t cudnnCreate##name##Descriptor(cudnn##name##Descriptor_t* descriptor) {           \
        return make(descriptor);                                                                   \
    }                                                                                              \
    cudnnStatus_t cudnnDestroy##name##Descriptor(cudnn##name##Descriptor_t descriptor) {           \
        return destroy(descriptor);                                                                \
    }

extern "C" {

STAND_IN_DESCRIPTOR(Activation)
STAND_IN_DESCRIPTOR(Convolution)
STAND_IN_DESCRIPTOR(Dropout)
STAND_IN_DESCRIPTOR(Filter)
STAND_IN_DESCRIPTOR(LRN)
STAND_IN_DESCRIPTOR(Pooling)
STAND_IN_DESCRIPTOR(RNN)
STAND_IN_DESCRIPTOR(RNNData)
STAND_IN_DESCRIPTOR(Tensor)
STAND_IN_DESCRIPTOR(TensorTransform)

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
    return make(handle);
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
    return destroy(handle);
}
std::size_t cudnnGetVersion() {
    return CUDNN_VERSION;
}
const char* cudnnGetErrorString(cudnnStatus_t /*status*/) {
    return "refused by the stand-in of cuDNN";
}

cudnnStatus_t cudnnGetTensorNdDescriptor(const cudnnTensorDescriptor_t /*descriptor*/,
                                         int /*most_dims*/, cudnnDataType_t* type, int* dims,
                                         int* /*sizes*/, int* /*strides*/) {
    *type = CUDNN_DATA_FLOAT;
    *dims = 4;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetTensorSizeInBytes(const cudnnTensorDescriptor_t /*descriptor*/,
                                        std::size_t* bytes) {
    return zero(bytes);
}
cudnnStatus_t cudnnGetConvolutionNdForwardOutputDim(
    const cudnnConvolutionDescriptor_t /*convolution*/, const cudnnTensorDescriptor_t /*input*/,
    const cudnnFilterDescriptor_t /*filter*/, int dims, int sizes[]) {
    std::fill_n(sizes, dims, 1);
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetPoolingNdForwardOutputDim(const cudnnPoolingDescriptor_t /*pooling*/,
                                                const cudnnTensorDescriptor_t /*input*/, int dims,
                                                int sizes[]) {
    std::fill_n(sizes, dims, 1);
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
