#pragma once

#include <cstddef>
#include <cuda_runtime_api.h>
#include <functional>
#include <string>
#include <vector>

/// Libraries that stand in for the CUDA runtime, cuBLAS and cuDNN on machines without a GPU, so
/// that OpenCV's own dispatch can be watched. Device memory is host memory, within whose bounds
/// copies must stay, streams are executed at once, and one device of compute capability 9.0 is
/// there. Kernels are logged, not executed, except those that convert between float and half,
/// unless a test runs them. cuBLAS and cuDNN compute what YOLOv10 needs.
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

    int copiesOf(cudaMemcpyKind kind) const;
};

Log log();
void clearLog();

/// Whether [address, address + bytes) lies in one allocation of device memory.
bool isDeviceMemory(const void* address, std::size_t bytes);

/// The allocation of device memory that holds an address; none: of 0 bytes.
Allocation allocationOf(const void* address);

/// How many processors the device has from now on; 1 at first.
void setProcessors(int count);

/// A kernel as a program launches it.
struct Launch {
    std::string kernel; ///< mangled name
    dim3 blocks;
    dim3 threads;
    std::size_t shared_bytes;
    cudaStream_t stream;
    void** arguments; ///< the address of each
};

/// Hands every launch to `run` from now on, which tells whether it has run the kernel; what it
/// throws, the launching program gets.
void runKernels(std::function<bool(const Launch&)> run);

} // namespace stand_in
