#pragma once

#include <cuda_runtime_api.h>
#include <vector>

/// What OpenCV's dispatch handed to the kernels, as kernels_by_reference.cpp saw it, which takes
/// their place.
namespace irmb::test {

struct Launch {
    cudaStream_t stream;
    const void* x;
    void* y;
    void* scratch; ///< null: the kernel takes none
};

/// Launches since the last call, in all threads.
std::vector<Launch> takeLaunches();

} // namespace irmb::test
