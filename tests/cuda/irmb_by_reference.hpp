#pragma once

#include <cuda_runtime_api.h>
#include <vector>

/// What OpenCV's dispatch handed to IrmbKernels, as irmb_by_reference.cpp saw it, which takes the
/// place of the kernels.
namespace irmb::test {

struct Launch {
    cudaStream_t stream;
    const void* x;
    void* y;
    void* scratch;
};

/// Launches since the last call, in all threads.
std::vector<Launch> takeLaunches();

} // namespace irmb::test
