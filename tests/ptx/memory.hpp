#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace ptx {

constexpr int warp_size = 32;

/// Who accesses memory, and when: between which barriers of its block and of its warp.
struct Accessor {
    int thread;
    int block_epoch;
    int warp_epoch;
};

/// Shared memory of a block. Finds what is out of bounds, not aligned, read before it was written,
/// or accessed by two threads without a barrier between them; throws std::runtime_error for it.
class SharedMemory {
public:
    static constexpr std::size_t unit_bytes = 2; ///< the smallest access

    explicit SharedMemory(std::size_t bytes);

    /// As a block finds it: nothing was written.
    void clear();

    void read(const Accessor& by, std::uint64_t address, void* to, std::size_t bytes);
    void write(const Accessor& by, std::uint64_t address, const void* from, std::size_t bytes);

    /// Reads, lets `change` change and writes. No race with others of its kind.
    void atomic(const Accessor& by, std::uint64_t address, std::size_t bytes,
                const std::function<void(void*)>& change);

private:
    /// The last accesses to `unit_bytes` neighbours.
    struct Trace {
        Accessor writer = {-1, -1, -1};
        Accessor reader = {-1, -1, -1};
        bool by_several_warps = false; ///< read, since the barrier before `reader`
        bool by_several_lanes = false; ///< of its warp, since the barrier of the warp before
        bool atomic = false;           ///< the write was
        bool several_atomics = false;  ///< by several threads, since the barrier before `writer`
    };

    void requireInside(std::uint64_t address, std::size_t bytes) const;
    void noteRead(Trace& trace, const Accessor& by, std::uint64_t address);
    void noteWrite(Trace& trace, const Accessor& by, std::uint64_t address, bool atomic);

    std::vector<unsigned char> bytes_;
    std::vector<Trace> traces_;
};

/// Allocations of device memory, which are memory of the host.
class GlobalMemory {
public:
    /// Begin and bytes of the allocation that holds an address; none: {nullptr, 0}.
    using Allocation = std::pair<const char*, std::size_t>;
    using Find = std::function<Allocation(const void*)>;

    explicit GlobalMemory(Find find) : find_(std::move(find)) {}

    /// Throws std::runtime_error where there is no such memory, or `address` is not aligned.
    void* at(std::uint64_t address, std::size_t bytes);

private:
    Find find_;
    std::vector<Allocation> known_; ///< that were accessed before
};

} // namespace ptx
