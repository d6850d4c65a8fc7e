#pragma once

#include <cstddef>
#include <functional>

/// Runs CUDA kernels on the host, so that tests see the sources that a GPU runs. The headers
/// cuda_runtime.h and cuda_fp16.h beside this one stand in for the toolkit's.
///
/// Blocks run one after the other. The threads of a block are fibers, each of which runs until it
/// waits at a barrier or an operation of its warp, and a warp runs until all its lanes wait at a
/// barrier: a thread that reads what another one has yet to write, or has overwritten, for want of
/// a barrier, gets NaN or a wrong value in one order of threads or another. Shared memory and
/// device memory are filled with NaN and are as large as was asked for, so that AddressSanitizer
/// sees what lies beyond.
namespace emulation {

enum class Order { Forward, Backward, Shuffled };

/// In which order threads, and blocks, run from now on in this thread of the host.
void setOrder(Order order);

/// What the runtime says about its device.
struct Device {
    int processors = 4;
    int shared_bytes = 99 * 1024; ///< most that a block may ask for
    int failing_launch = -1;      ///< launches until one fails; negative: none does
};
Device& device();

struct Size {
    unsigned x, y, z;
};

/// Runs `body` once for each thread. Throws std::logic_error when threads wait for each other for
/// ever, because some of them do not come to a barrier.
void run(Size blocks, Size threads, std::size_t shared_bytes, const std::function<void()>& body);

unsigned char* sharedMemory();
void syncThreads();

/// All lanes of a warp call this with the same `combine`, which runs once when the last one has
/// come, with what each of the 32 lanes has passed. Then all go on.
void together(void* mine, void (*combine)(void* const* lanes));

} // namespace emulation
