#include "memory.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ptx {
namespace {

bool sameWarp(const Accessor& a, const Accessor& b) {
    return a.thread / warp_size == b.thread / warp_size;
}

/// Whether there was no barrier of the block since an earlier access.
bool inSamePhase(const Accessor& earlier, const Accessor& now) {
    return earlier.thread >= 0 && earlier.block_epoch == now.block_epoch;
}

/// Whether it was by the same warp, with no barrier of the warp since either.
bool inSameStep(const Accessor& earlier, const Accessor& now) {
    return inSamePhase(earlier, now) && sameWarp(earlier, now) &&
           earlier.warp_epoch == now.warp_epoch;
}

/// Whether nothing orders an earlier access before one by `now`.
bool isUnordered(const Accessor& earlier, const Accessor& now) {
    return earlier.thread != now.thread && inSamePhase(earlier, now) &&
           (!sameWarp(earlier, now) || earlier.warp_epoch == now.warp_epoch);
}

[[noreturn]] void fail(const std::string& what, std::uint64_t address) {
    throw std::runtime_error(what + " at " + std::to_string(address));
}

[[noreturn]] void failRace(const char* what, const Accessor& earlier, const Accessor& now,
                           std::uint64_t address) {
    fail("shared memory: thread " + std::to_string(now.thread) + " " + what + " thread " +
             std::to_string(earlier.thread) + ", without a barrier between them,",
         address);
}

void requireAligned(std::uint64_t address, std::size_t bytes) {
    if (address % bytes != 0)
        fail("an access of " + std::to_string(bytes) + " bytes is not aligned", address);
}

} // namespace

SharedMemory::SharedMemory(std::size_t bytes)
    : bytes_(bytes), traces_((bytes + unit_bytes - 1) / unit_bytes) {}

void SharedMemory::clear() {
    std::fill(traces_.begin(), traces_.end(), Trace());
}

void SharedMemory::requireInside(std::uint64_t address, std::size_t bytes) const {
    requireAligned(address, bytes);
    if (address > bytes_.size() || bytes > bytes_.size() - address)
        fail("shared memory of " + std::to_string(bytes_.size()) + " bytes is left", address);
}

void SharedMemory::noteRead(Trace& trace, const Accessor& by, std::uint64_t address) {
    if (trace.writer.thread < 0)
        fail("shared memory is read before it was written", address);
    if (isUnordered(trace.writer, by) || (trace.several_atomics && inSamePhase(trace.writer, by)))
        failRace("reads what was written by", trace.writer, by, address);
    const Accessor& last = trace.reader;
    trace.by_several_warps =
        inSamePhase(last, by) && (trace.by_several_warps || !sameWarp(last, by));
    trace.by_several_lanes =
        inSameStep(last, by) && (trace.by_several_lanes || last.thread != by.thread);
    trace.reader = by;
}

void SharedMemory::noteWrite(Trace& trace, const Accessor& by, std::uint64_t address, bool atomic) {
    const bool is_one_of_several = atomic && trace.atomic && inSamePhase(trace.writer, by);
    if (isUnordered(trace.writer, by) && !is_one_of_several)
        failRace("writes over what was written by", trace.writer, by, address);
    const Accessor& last = trace.reader;
    if (isUnordered(last, by) || (trace.by_several_warps && inSamePhase(last, by)) ||
        (trace.by_several_lanes && inSameStep(last, by)))
        failRace("writes over what is read by", last, by, address);
    trace.several_atomics =
        is_one_of_several && (trace.several_atomics || trace.writer.thread != by.thread);
    trace.writer = by;
    trace.atomic = atomic;
}

void SharedMemory::read(const Accessor& by, std::uint64_t address, void* to, std::size_t bytes) {
    requireInside(address, bytes);
    for (std::size_t i = 0; i < bytes; i += unit_bytes)
        noteRead(traces_[(address + i) / unit_bytes], by, address + i);
    std::memcpy(to, &bytes_[address], bytes);
}

void SharedMemory::write(const Accessor& by, std::uint64_t address, const void* from,
                         std::size_t bytes) {
    requireInside(address, bytes);
    for (std::size_t i = 0; i < bytes; i += unit_bytes)
        noteWrite(traces_[(address + i) / unit_bytes], by, address + i, false);
    std::memcpy(&bytes_[address], from, bytes);
}

void SharedMemory::atomic(const Accessor& by, std::uint64_t address, std::size_t bytes,
                          const std::function<void(void*)>& change) {
    requireInside(address, bytes);
    for (std::size_t i = 0; i < bytes; i += unit_bytes) {
        Trace& trace = traces_[(address + i) / unit_bytes];
        if (trace.writer.thread < 0)
            fail("shared memory is changed before it was written", address);
        noteWrite(trace, by, address + i, true);
    }
    change(&bytes_[address]);
}

void* GlobalMemory::at(std::uint64_t address, std::size_t bytes) {
    requireAligned(address, bytes);
    const auto* const byte = reinterpret_cast<const char*>(address);
    const auto holds = [&](const Allocation& a) {
        return byte >= a.first && byte + bytes <= a.first + a.second;
    };
    for (const Allocation& allocation : known_)
        if (holds(allocation))
            return reinterpret_cast<void*>(address);
    const Allocation found = find_(byte);
    if (!holds(found))
        fail("an access of " + std::to_string(bytes) + " bytes is not in device memory", address);
    known_.push_back(found);
    return reinterpret_cast<void*>(address);
}

} // namespace ptx
