#include "half.hpp"
#include "stand_in.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace stand_in {
namespace {

constexpr int compute_capability_major = 9;
constexpr int compute_capability_minor = 0;
constexpr std::size_t memory_bytes = std::size_t{8} << 30;
constexpr std::size_t alignment = 512; // of device memory, in bytes
constexpr std::size_t shared_bytes_unasked = 48 << 10;
constexpr std::size_t shared_bytes_limit = 227 << 10;
constexpr unsigned threads_limit = 1024;
constexpr unsigned block_limit_z = 64;
constexpr unsigned grid_limit_yz = 65535;

/// Everything that the process shares. Never destroyed: libraries that are unloaded later free
/// their memory through it.
struct State {
    std::mutex mutex;
    std::map<const char*, std::size_t> allocations;
    std::map<const void*, std::string> kernels;      // by the host function that stands for them
    std::map<const void*, std::size_t> shared_bytes; // that kernels have asked for
    std::function<bool(const Launch&)> run;
    int processors = 1;
    Log log;
};

State& state() {
    static auto* const instance = new State;
    return *instance;
}

/// A pending `kernel<<<...>>>`, between the two calls that the compiler makes of it.
struct LaunchConfiguration {
    dim3 grid;
    dim3 block;
    std::size_t shared_bytes;
    cudaStream_t stream;
};
thread_local LaunchConfiguration pending;
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t remember(cudaError_t error) {
    if (error != cudaSuccess)
        last_error = error;
    return error;
}

/// Needs the lock.
Allocation findAllocation(const void* address) {
    const auto* const byte = static_cast<const char*>(address);
    auto next = state().allocations.upper_bound(byte);
    if (next == state().allocations.begin())
        return {nullptr, 0};
    --next;
    if (byte >= next->first + next->second)
        return {nullptr, 0};
    return {next->first, next->second};
}

/// Bytes from `address` to the end of its allocation; 0 for host memory. Needs the lock.
std::size_t deviceBytesFrom(const void* address) {
    const Allocation allocation = findAllocation(address);
    const auto* const begin = static_cast<const char*>(allocation.address);
    return begin ? begin + allocation.bytes - static_cast<const char*>(address) : 0;
}

cudaMemcpyKind kindOf(bool from_device, bool to_device) {
    if (from_device)
        return to_device ? cudaMemcpyDeviceToDevice : cudaMemcpyDeviceToHost;
    return to_device ? cudaMemcpyHostToDevice : cudaMemcpyHostToHost;
}

/// Finds out what a copy really is; refuses one that leaves an allocation or is said to be another.
cudaError_t logCopy(void* to, const void* from, std::size_t to_bytes, std::size_t from_bytes,
                    std::size_t bytes, cudaMemcpyKind said, cudaStream_t stream) {
    const std::lock_guard lock(state().mutex);
    const std::size_t to_room = deviceBytesFrom(to);
    const std::size_t from_room = deviceBytesFrom(from);
    const cudaMemcpyKind kind = kindOf(from_room > 0, to_room > 0);
    if (said != cudaMemcpyDefault && said != kind)
        return remember(cudaErrorInvalidMemcpyDirection);
    if ((to_room > 0 && to_room < to_bytes) || (from_room > 0 && from_room < from_bytes))
        return remember(cudaErrorInvalidValue);
    state().log.copies.push_back({kind, bytes, stream});
    return cudaSuccess;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                 cudaStream_t stream) {
    const cudaError_t error = logCopy(to, from, bytes, bytes, bytes, kind, stream);
    if (error == cudaSuccess)
        std::memcpy(to, from, bytes);
    return error;
}

cudaError_t copy2d(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                   std::size_t width_bytes, std::size_t rows, cudaMemcpyKind kind,
                   cudaStream_t stream) {
    if (rows == 0 || width_bytes == 0)
        return cudaSuccess;
    const cudaError_t error =
        logCopy(to, from, (rows - 1) * to_pitch + width_bytes,
                (rows - 1) * from_pitch + width_bytes, rows * width_bytes, kind, stream);
    if (error == cudaSuccess)
        for (std::size_t row = 0; row < rows; ++row)
            std::memcpy(static_cast<char*>(to) + row * to_pitch,
                        static_cast<const char*>(from) + row * from_pitch, width_bytes);
    return error;
}

cudaError_t set(void* address, int value, std::size_t bytes) {
    if (!isDeviceMemory(address, bytes))
        return remember(cudaErrorInvalidValue);
    std::memset(address, value, bytes);
    return cudaSuccess;
}

/// Span and View of OpenCV's CUDA code, as they arrive in a kernel.
template <typename T>
struct Span {
    T* data;
    int size;
};

/// One value after the other, if all of them are in device memory.
template <typename To, typename From, typename Convert>
cudaError_t convert(void** arguments, Convert convert_value) {
    const auto& to = *static_cast<const Span<To>*>(arguments[0]);
    const auto& from = *static_cast<const Span<const From>*>(arguments[1]);
    if (!isDeviceMemory(to.data, sizeof(To) * to.size) ||
        !isDeviceMemory(from.data, sizeof(From) * to.size))
        return remember(cudaErrorIllegalAddress);
    std::transform(from.data, from.data + to.size, to.data, convert_value);
    return cudaSuccess;
}

/// Runs the kernels of OpenCV that move values between host and device in half precision.
cudaError_t execute(const std::string& kernel, void** arguments) {
    if (kernel.find("fp32_to_fp16") != std::string::npos)
        return convert<uint16_t, float>(arguments, halfFromFloat);
    if (kernel.find("fp16_to_fp32") != std::string::npos)
        return convert<float, uint16_t>(arguments, floatFromHalf);
    return cudaSuccess;
}

/// Whether a GPU would take a launch. Needs the lock.
bool isPossible(const void* function, const Launch& launch) {
    const auto asked = state().shared_bytes.find(function);
    const std::size_t allowed =
        asked == state().shared_bytes.end() ? shared_bytes_unasked : asked->second;
    const auto isEmpty = [](const dim3& size) { return size.x == 0 || size.y == 0 || size.z == 0; };
    return !isEmpty(launch.blocks) && !isEmpty(launch.threads) &&
           launch.blocks.y <= grid_limit_yz && launch.blocks.z <= grid_limit_yz &&
           launch.threads.z <= block_limit_z &&
           launch.threads.x * launch.threads.y * launch.threads.z <= threads_limit &&
           launch.shared_bytes <= std::max(allowed, shared_bytes_unasked);
}

cudaError_t launch(const void* function, const dim3& blocks, const dim3& threads,
                   std::size_t shared_bytes, cudaStream_t stream, void** arguments) {
    Launch call = {{}, blocks, threads, shared_bytes, stream, arguments};
    std::function<bool(const Launch&)> run;
    {
        const std::lock_guard lock(state().mutex);
        const auto found = state().kernels.find(function);
        if (found == state().kernels.end())
            return remember(cudaErrorInvalidDeviceFunction);
        if (!isPossible(function, call))
            return remember(cudaErrorInvalidConfiguration);
        call.kernel = found->second;
        state().log.kernels.push_back(call.kernel);
        run = state().run;
    }
    return run && run(call) ? cudaSuccess : execute(call.kernel, arguments);
}

/// A handle that is not null and unlike any other.
template <typename Handle>
Handle newHandle() {
    return reinterpret_cast<Handle>(std::malloc(1));
}

} // namespace

int Log::copiesOf(cudaMemcpyKind kind) const {
    return static_cast<int>(std::count_if(copies.begin(), copies.end(),
                                          [kind](const Copy& copy) { return copy.kind == kind; }));
}

Log log() {
    const std::lock_guard lock(state().mutex);
    return state().log;
}

void clearLog() {
    const std::lock_guard lock(state().mutex);
    state().log = {};
}

bool isDeviceMemory(const void* address, std::size_t bytes) {
    const std::lock_guard lock(state().mutex);
    return deviceBytesFrom(address) >= bytes;
}

Allocation allocationOf(const void* address) {
    const std::lock_guard lock(state().mutex);
    return findAllocation(address);
}

void setProcessors(int count) {
    const std::lock_guard lock(state().mutex);
    state().processors = count;
}

void runKernels(std::function<bool(const Launch&)> run) {
    const std::lock_guard lock(state().mutex);
    state().run = std::move(run);
}

} // namespace stand_in

using namespace stand_in;

extern "C" {

// Devices.

cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
    return device == 0 ? cudaSuccess : remember(cudaErrorInvalidDevice);
}
cudaError_t cudaDeviceReset() {
    return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*device*/) {
    const std::lock_guard lock(state().mutex);
    *properties = {};
    std::strcpy(properties->name, "stand-in");
    properties->major = compute_capability_major;
    properties->minor = compute_capability_minor;
    properties->totalGlobalMem = memory_bytes;
    properties->multiProcessorCount = state().processors;
    properties->warpSize = 32;
    properties->maxThreadsPerBlock = threads_limit;
    properties->maxThreadsPerMultiProcessor = 2048;
    properties->sharedMemPerBlock = shared_bytes_unasked;
    properties->sharedMemPerBlockOptin = shared_bytes_limit;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
    const std::lock_guard lock(state().mutex);
    const std::map<cudaDeviceAttr, int> values = {
        {cudaDevAttrComputeCapabilityMajor, compute_capability_major},
        {cudaDevAttrComputeCapabilityMinor, compute_capability_minor},
        {cudaDevAttrMultiProcessorCount, state().processors},
        {cudaDevAttrWarpSize, 32},
        {cudaDevAttrMaxThreadsPerBlock, 1024},
        {cudaDevAttrMaxThreadsPerMultiProcessor, 2048},
        {cudaDevAttrMaxSharedMemoryPerBlock, static_cast<int>(shared_bytes_unasked)},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, static_cast<int>(shared_bytes_limit)},
    };
    const auto found = values.find(attribute);
    *value = found == values.end() ? 0 : found->second;
    return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

// Errors.

cudaError_t cudaGetLastError() {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}
cudaError_t cudaPeekAtLastError() {
    return last_error;
}
const char* cudaGetErrorString(cudaError_t error) {
    return error == cudaSuccess ? "no error" : "refused by the stand-in of the CUDA runtime";
}
const char* cudaGetErrorName(cudaError_t error) {
    return cudaGetErrorString(error);
}

// Memory.

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
    *address = nullptr;
    if (bytes == 0)
        return cudaSuccess;
    const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    *address = std::aligned_alloc(alignment, rounded);
    if (!*address)
        return remember(cudaErrorMemoryAllocation);
    std::memset(*address, 0xff, rounded); // not a number, in float and half
    const std::lock_guard lock(state().mutex);
    state().allocations[static_cast<char*>(*address)] = bytes;
    state().log.allocations.push_back({*address, bytes});
    return cudaSuccess;
}
cudaError_t cudaFree(void* address) {
    if (!address)
        return cudaSuccess;
    {
        const std::lock_guard lock(state().mutex);
        if (state().allocations.erase(static_cast<char*>(address)) == 0)
            return remember(cudaErrorInvalidValue);
    }
    std::free(address);
    return cudaSuccess;
}
cudaError_t cudaMallocPitch(void** address, std::size_t* pitch, std::size_t width_bytes,
                            std::size_t rows) {
    *pitch = (width_bytes + alignment - 1) / alignment * alignment;
    return cudaMalloc(address, *pitch * rows);
}
cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
    *free_bytes = *total_bytes = memory_bytes;
    return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** address, std::size_t bytes, unsigned int /*flags*/) {
    *address = std::malloc(bytes);
    return *address ? cudaSuccess : remember(cudaErrorMemoryAllocation);
}
cudaError_t cudaMallocHost(void** address, std::size_t bytes) {
    return cudaHostAlloc(address, bytes, 0);
}
cudaError_t cudaFreeHost(void* address) {
    std::free(address);
    return cudaSuccess;
}
cudaError_t cudaHostRegister(void* /*address*/, std::size_t /*bytes*/, unsigned int /*flags*/) {
    return cudaSuccess;
}
cudaError_t cudaHostUnregister(void* /*address*/) {
    return cudaSuccess;
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned int /*flags*/) {
    *device = host;
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    return copy(to, from, bytes, kind, nullptr);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    return copy(to, from, bytes, kind, stream);
}
cudaError_t cudaMemcpy2D(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                         std::size_t width_bytes, std::size_t rows, cudaMemcpyKind kind) {
    return copy2d(to, to_pitch, from, from_pitch, width_bytes, rows, kind, nullptr);
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width_bytes, std::size_t rows,
                              cudaMemcpyKind kind, cudaStream_t stream) {
    return copy2d(to, to_pitch, from, from_pitch, width_bytes, rows, kind, stream);
}
cudaError_t cudaMemset(void* address, int value, std::size_t bytes) {
    return set(address, value, bytes);
}
cudaError_t cudaMemsetAsync(void* address, int value, std::size_t bytes, cudaStream_t /*stream*/) {
    return set(address, value, bytes);
}
cudaError_t cudaMemset2D(void* address, std::size_t pitch, int value, std::size_t width_bytes,
                         std::size_t rows) {
    for (std::size_t row = 0; row < rows; ++row) {
        const cudaError_t error =
            set(static_cast<char*>(address) + row * pitch, value, width_bytes);
        if (error != cudaSuccess)
            return error;
    }
    return cudaSuccess;
}
cudaError_t cudaMemset2DAsync(void* address, std::size_t pitch, int value, std::size_t width_bytes,
                              std::size_t rows, cudaStream_t /*stream*/) {
    return cudaMemset2D(address, pitch, value, width_bytes, rows);
}

// Streams and events.

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
    *stream = newHandle<cudaStream_t>();
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int /*flags*/) {
    return cudaStreamCreate(stream);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    std::free(stream);
    return cudaSuccess;
}
cudaError_t cudaStreamQuery(cudaStream_t /*stream*/) {
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t /*stream*/) {
    return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t /*stream*/, cudaEvent_t /*event*/,
                                unsigned int /*flags*/) {
    return cudaSuccess;
}
cudaError_t cudaStreamGetFlags(cudaStream_t /*stream*/, unsigned int* flags) {
    *flags = cudaStreamNonBlocking;
    return cudaSuccess;
}
cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback,
                                  void* user_data, unsigned int /*flags*/) {
    callback(stream, cudaSuccess, user_data);
    return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) {
    *event = newHandle<cudaEvent_t>();
    return cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int /*flags*/) {
    return cudaEventCreate(event);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    std::free(event);
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t /*event*/, cudaStream_t /*stream*/) {
    return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t /*event*/) {
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t /*event*/) {
    return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* time_ms, cudaEvent_t /*start*/, cudaEvent_t /*end*/) {
    *time_ms = 0;
    return cudaSuccess;
}

// Kernels.

cudaError_t cudaLaunchKernel(const void* function, dim3 blocks, dim3 threads, void** arguments,
                             std::size_t shared_bytes, cudaStream_t stream) {
    return launch(function, blocks, threads, shared_bytes, stream, arguments);
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* function,
                                void** arguments) {
    return launch(function, config->gridDim, config->blockDim, config->dynamicSmemBytes,
                  config->stream, arguments);
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* /*function*/) {
    *attributes = {};
    attributes->maxThreadsPerBlock = threads_limit;
    return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize)
        return cudaSuccess;
    if (value < 0 || static_cast<std::size_t>(value) > shared_bytes_limit)
        return remember(cudaErrorInvalidValue);
    const std::lock_guard lock(state().mutex);
    state().shared_bytes[function] = value;
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* /*function*/,
                                                          int /*block_size*/,
                                                          std::size_t /*shared_bytes*/) {
    *blocks = 1;
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks,
                                                                   const void* /*function*/,
                                                                   int /*block_size*/,
                                                                   std::size_t /*shared_bytes*/,
                                                                   unsigned int /*flags*/) {
    *blocks = 1;
    return cudaSuccess;
}
// For OpenCV's textures, which networks do not use.
cudaChannelFormatDesc cudaCreateChannelDesc(int x, int y, int z, int w,
                                            cudaChannelFormatKind format) {
    return {x, y, z, w, format};
}
cudaError_t cudaDeviceGetTexture1DLinearMaxWidth(std::size_t* elements,
                                                 const cudaChannelFormatDesc* /*format*/,
                                                 int /*device*/) {
    *elements = std::size_t(1) << 27;
    return cudaSuccess;
}

// What the compiler calls on behalf of a program with kernels.

void** __cudaRegisterFatBinary(void* /*binary*/) {
    static void* handle = nullptr;
    return &handle;
}
void __cudaRegisterFatBinaryEnd(void** /*handle*/) {}
void __cudaUnregisterFatBinary(void** /*handle*/) {}
char __cudaInitModule(void** /*handle*/) {
    return 1;
}
void __cudaRegisterVar(void** /*handle*/, char* /*variable*/, char* /*address*/,
                       const char* /*name*/, int /*external*/, std::size_t /*bytes*/,
                       int /*constant*/, int /*global*/) {}
void __cudaRegisterFunction(void** /*handle*/, const char* function, char* /*device_function*/,
                            const char* name, int /*thread_limit*/, uint3* /*thread*/,
                            uint3* /*block*/, dim3* /*block_size*/, dim3* /*grid_size*/,
                            int* /*warp_size*/) {
    const std::lock_guard lock(state().mutex);
    state().kernels[function] = name;
}
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, std::size_t shared_bytes,
                                     CUstream_st* stream) {
    pending = {grid, block, shared_bytes, stream};
    return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, std::size_t* shared_bytes,
                                       void* stream) {
    *grid = pending.grid;
    *block = pending.block;
    *shared_bytes = pending.shared_bytes;
    *static_cast<cudaStream_t*>(stream) = pending.stream;
    return cudaSuccess;
}
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
    *kernel = static_cast<cudaKernel_t>(const_cast<void*>(function));
    return cudaSuccess;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 blocks, dim3 threads, void** arguments,
                               std::size_t shared_bytes, cudaStream_t stream) {
    return launch(kernel, blocks, threads, shared_bytes, stream, arguments);
}

} // extern "C"
