#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace irmb::cpu {

/// Keeps scratch memory between calls, so that a forward pass does not pay for fresh pages.
/// Any number of threads may borrow at a time; each gets a buffer of its own.
class BufferPool {
public:
    /// Memory that goes back to the pool at the end of its life. Its content is undefined, its
    /// beginning aligned to cache lines, which are as long as the widest vectors.
    class Buffer {
    public:
        Buffer(BufferPool& pool, std::vector<float>&& memory)
            : pool_(pool), memory_(std::move(memory)) {}
        ~Buffer() { pool_.give(std::move(memory_)); }
        Buffer(const Buffer&) = delete;
        Buffer& operator=(const Buffer&) = delete;

        float* data() {
            const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
            return memory_.data() +
                   (line_bytes - address % line_bytes) % line_bytes / sizeof(float);
        }

    private:
        BufferPool& pool_;
        std::vector<float> memory_;
    };

    /// At least `size` floats.
    Buffer borrow(std::size_t size) {
        std::vector<float> memory;
        {
            const std::lock_guard lock(mutex_);
            if (!free_.empty()) {
                memory = std::move(free_.back());
                free_.pop_back();
            }
        }
        size += line_bytes / sizeof(float);
        if (memory.size() < size)
            memory.resize(size);
        return {*this, std::move(memory)};
    }

private:
    static constexpr std::size_t line_bytes = 64;

    void give(std::vector<float>&& memory) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(memory));
    }

    std::mutex mutex_;
    std::vector<std::vector<float>> free_;
};

/// Cuts one buffer into pieces, each followed by room that kernels may overrun.
class Arena {
public:
    Arena(float* data, std::size_t room) : next_(data), room_(room) {}

    float* take(std::size_t size) {
        float* piece = next_;
        next_ += size + room_;
        return piece;
    }

private:
    float* next_;
    std::size_t room_;
};

} // namespace irmb::cpu
