#pragma once

#include <cstddef>
#include <cuda_runtime_api.h>
#include <string>
#include <vector>

/// Libraries that stand in for the CUDA runtime, cuBLAS and cuDNN on machines without a GPU, so
/// that OpenCV's own dispatch can be watched. Device memory is host memory whose bounds are
/// checked, streams are executed at once, and one device of compute capability 9.0 is there.
/// Kernels are logged, not executed, except those that convert between float and half; cuBLAS and
/// cuDNN compute nothing.
namespace stand_in {

struct Copy {
    cudaMemcpyKind kind; ///< what it really is, never cudaMemcpyDefault
    std::size_t bytes;
    cudaStream_t stream;
};

struct Allocation {
    const void* address;
    std::size_t bytes;
};

/// What happened since the last clearLog(), in all threads.
struct Log {
    std::vector<Copy> copies;
    std::vector<Allocation> allocations; ///< of device memory
    std::vector<std::string> kernels;    ///< mangled names, in order of launch
    int synchronisations = 0;            ///< of streams and of the device

    int copiesOf(cudaMemcpyKind kind) const;
};

Log log();
void clearLog();

/// Whether [address, address + bytes) lies in one allocation of device memory.
bool isDeviceMemory(const void* address, std::size_t bytes);

} // namespace stand_in
