#pragma once

#include "cuda/irmb_kernels.hpp"

#include <cuda_runtime.h>
#include <initializer_list>
#include <string>

namespace irmb::cuda {

/// Throws Error "LAYER: WHAT failed: REASON" unless a call succeeded. The runtime forgets the
/// error, which would else be taken for that of a later call. `what` is put together only then.
inline void require(cudaError_t error, const std::string& layer,
                    std::initializer_list<const char*> what) {
    if (error == cudaSuccess)
        return;
    cudaGetLastError();
    std::string text = layer + ": ";
    for (const char* part : what)
        text += part;
    throw Error(text + " failed: " + cudaGetErrorString(error));
}

} // namespace irmb::cuda
