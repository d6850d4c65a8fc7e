#pragma once

#include <irmb_dnn/irmb_types.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

struct __half;
struct CUstream_st;
using cudaStream_t = CUstream_st*;

namespace irmb::cuda {

/// A CUDA call failed, or a map is beyond what the kernels can index. One line that names the
/// layer, the kernel or call, and the reason.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Weights of one iRMB on the host: float32, continuous, shapes and order of irmb::IrmbWeights.
/// What the parameters do not call for stays null. They are trusted: irmb::checkParams() and
/// irmb::checkWeights() come first.
struct HostWeights {
    const float* norm_scale = nullptr;
    const float* norm_shift = nullptr;
    const float* qk_weight = nullptr;
    const float* qk_bias = nullptr;
    const float* v_weight = nullptr;
    const float* v_bias = nullptr;
    const float* v_slope = nullptr;
    const float* local_weight = nullptr;
    const float* local_bias = nullptr;
    const float* se_reduce_weight = nullptr;
    const float* se_reduce_bias = nullptr;
    const float* se_slope = nullptr;
    const float* se_expand_weight = nullptr;
    const float* se_expand_bias = nullptr;
    const float* proj_weight = nullptr;
    const float* proj_bias = nullptr;
    bool v_slope_is_single = false;  ///< v_slope is [1], not [M]
    bool se_slope_is_single = false; ///< se_slope is [1], not [R]
};

/// Images and pixels of the input [images, dim_in, height, width].
struct MapShape {
    int images;
    int height;
    int width;
};

/// One iRMB on a GPU. `T` is float, or __half with float accumulation and a float softmax.
///
/// The constructor prepares the weights and uploads them to the current device; launch() must run
/// with that device current. One object serves any number of threads, streams and map shapes.
template <typename T>
class IrmbKernels {
public:
    /// `layer` is named in errors. Throws Error when device memory cannot be had.
    IrmbKernels(const IrmbParams& params, const HostWeights& weights, const std::string& layer);
    ~IrmbKernels();

    /// Device memory that launch() needs beside its input and output. Throws Error when the map
    /// is too large to index, or too small for the depthwise kernel.
    std::size_t scratchBytes(const MapShape& shape) const;

    /// The kernels that launch() runs, in order, each with what it computes.
    std::vector<std::string> launches(const MapShape& shape) const;

    /// Enqueues the block on `stream` and returns. All pointers are device memory:
    /// `x` [images, dim_in, height, width] and `y` [images, dim_out, Ho, Wo], dense NCHW, which
    /// must not overlap; `scratch` of scratchBytes(shape), aligned to 256 bytes, free for other use
    /// once the stream has come past this block. Throws Error when a launch fails.
    void launch(cudaStream_t stream, const T* x, T* y, void* scratch, const MapShape& shape) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

extern template class IrmbKernels<float>;
extern template class IrmbKernels<__half>;

} // namespace irmb::cuda
