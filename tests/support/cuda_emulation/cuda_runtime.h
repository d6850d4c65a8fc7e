#pragma once

#include "emulation.hpp"

#include <cmath>
#include <cstring>
#include <map>
#include <math.h>
#include <new>

/// What the kernels use of CUDA's runtime, on the host.

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)

struct CUstream_st;
using cudaStream_t = CUstream_st*;

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
    unsigned x, y, z;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) uint2 {
    unsigned x, y;
};
inline float2 make_float2(float x, float y) {
    return {x, y};
}
inline int min(int a, int b) {
    return a < b ? a : b;
}
inline int max(int a, int b) {
    return a > b ? a : b;
}
inline float __fdividef(float a, float b) {
    return a / b;
}
inline unsigned max(unsigned a, unsigned b) {
    return a > b ? a : b;
}

// Not thread_local: GCC's UBSan takes the wrapper functions behind such variables for null.
extern __thread uint3 threadIdx;
extern __thread uint3 blockIdx;

inline void __syncthreads() {
    emulation::syncThreads();
}
inline void __syncwarp() {
    emulation::together(nullptr, [](void* const*) {});
}

/// What the lane Source(lane, change) has.
template <int (*Source)(int, int), typename T>
T shuffled(T x, int change) {
    struct Lane {
        T in;
        T out;
        int change;
    } mine = {x, T(), change};
    emulation::together(&mine, [](void* const* lanes) {
        for (int i = 0; i < 32; ++i) {
            Lane& lane = *static_cast<Lane*>(lanes[i]);
            lane.out = static_cast<const Lane*>(lanes[Source(i, lane.change)])->in;
        }
    });
    return mine.out;
}
inline int laneAcross(int lane, int mask) {
    return lane ^ mask;
}
inline int laneBefore(int lane, int delta) {
    return lane < delta ? lane : lane - delta;
}
template <typename T>
T __shfl_xor_sync(unsigned /*mask*/, T x, int lane_mask) {
    return shuffled<laneAcross>(x, lane_mask);
}
template <typename T>
T __shfl_up_sync(unsigned /*mask*/, T x, int delta) {
    return shuffled<laneBefore>(x, delta);
}

/// Threads are fibers of one thread of the host, which change only where they wait.
inline int atomicAdd(int* sum, int x) {
    const int before = *sum;
    *sum += x;
    return before;
}

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInvalidConfiguration = 9
};
inline const char* cudaGetErrorString(cudaError_t error) {
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorInvalidValue:
        return "invalid argument";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorInvalidConfiguration:
        return "invalid configuration argument";
    }
    return "unknown error";
}

enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum cudaDeviceAttr {
    cudaDevAttrMultiProcessorCount = 16,
    cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };

inline cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    *memory = ::operator new (bytes, std::align_val_t{256}, std::nothrow);
    if (*memory == nullptr)
        return cudaErrorMemoryAllocation;
    std::memset(*memory, 0xff, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaFree(void* memory) {
    ::operator delete (memory, std::align_val_t{256});
    return cudaSuccess;
}
inline cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
    std::memset(memory, value, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
    std::memcpy(to, from, bytes);
    return cudaSuccess;
}
inline cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return cudaSuccess;
}
inline cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
    *value = attribute == cudaDevAttrMultiProcessorCount ? emulation::device().processors
                                                         : emulation::device().shared_bytes;
    return cudaSuccess;
}

/// How much shared memory a kernel may have.
inline int& allowedShared(const void* kernel) {
    thread_local std::map<const void*, int> allowed;
    return allowed.try_emplace(kernel, 48 * 1024).first->second;
}
inline cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
    if (value > emulation::device().shared_bytes)
        return cudaErrorInvalidValue;
    allowedShared(kernel) = value;
    return cudaSuccess;
}

struct cudaLaunchConfig_t {
    dim3 gridDim;
    dim3 blockDim;
    std::size_t dynamicSmemBytes;
    cudaStream_t stream;
};

template <typename... Params, typename... Args>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Params...),
                               Args&&... args) {
    const dim3& blocks = config->gridDim;
    const dim3& threads = config->blockDim;
    const auto allowed =
        static_cast<std::size_t>(allowedShared(reinterpret_cast<const void*>(kernel)));
    if (emulation::device().failing_launch-- == 0 || blocks.x == 0 || blocks.y == 0 ||
        blocks.z == 0 || blocks.x > 0x7fffffffu || blocks.y > 65535 || blocks.z > 65535 ||
        threads.x * threads.y * threads.z > 1024 || config->dynamicSmemBytes > allowed)
        return cudaErrorInvalidConfiguration;
    emulation::run({blocks.x, blocks.y, blocks.z}, {threads.x, threads.y, threads.z},
                   config->dynamicSmemBytes, [&] { kernel(args...); });
    return cudaSuccess;
}
