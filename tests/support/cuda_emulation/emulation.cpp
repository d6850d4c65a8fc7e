#include "emulation.hpp"

#include "cuda_runtime.h"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

__thread uint3 threadIdx;
__thread uint3 blockIdx;

namespace emulation {
namespace {

using boost::context::fiber;
using boost::context::stack_context;

constexpr unsigned lanes_in_warp = 32;
constexpr std::size_t stack_bytes = 256 * 1024;

/// Stacks are used again by the next block.
class StackPool {
public:
    stack_context allocate() {
        if (free_.empty())
            free_.emplace_back(new char[stack_bytes]); // not touched before it is needed
        stack_context stack;
        stack.size = stack_bytes;
        stack.sp = free_.back().release() + stack_bytes;
        free_.pop_back();
        return stack;
    }
    void deallocate(const stack_context& stack) {
        free_.emplace_back(static_cast<char*>(stack.sp) - stack_bytes);
    }

private:
    std::vector<std::unique_ptr<char[]>> free_;
};

thread_local StackPool stacks;
thread_local Order chosen_order = Order::Forward;
thread_local std::mt19937 shuffler;

struct Stacks {
    stack_context allocate() { return stacks.allocate(); }
    void deallocate(stack_context& stack) { stacks.deallocate(stack); }
};

std::vector<unsigned> inOrder(unsigned count) {
    std::vector<unsigned> numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0u);
    if (chosen_order == Order::Backward)
        std::reverse(numbers.begin(), numbers.end());
    if (chosen_order == Order::Shuffled)
        std::shuffle(numbers.begin(), numbers.end(), shuffler);
    return numbers;
}

uint3 place(unsigned number, const Size& size) {
    return {number % size.x, number / size.x % size.y, number / size.x / size.y};
}

struct Thread {
    fiber own;
    fiber scheduler;
    unsigned number;
    uint3 index;
    bool waiting = false;
};

struct Warp {
    void* passed[lanes_in_warp];
    void (*combine)(void* const*) = nullptr;
    unsigned arrived = 0;
};

class Block {
public:
    Block(const Size& threads, std::size_t shared_bytes, const std::function<void()>& body)
        : threads_(threads.x * threads.y * threads.z),
          warps_((threads_.size() + lanes_in_warp - 1) / lanes_in_warp),
          shared_(new unsigned char[shared_bytes]) {
        std::memset(shared_.get(), 0xff, shared_bytes);
        for (unsigned number = 0; number < threads_.size(); ++number) {
            Thread& thread = threads_[number];
            thread.number = number;
            thread.index = place(number, threads);
            thread.own = fiber(std::allocator_arg, Stacks(), [&thread, &body](fiber&& scheduler) {
                thread.scheduler = std::move(scheduler);
                body();
                return std::move(thread.scheduler);
            });
        }
    }

    void run();
    void syncThreads();
    void together(void* mine, void (*combine)(void* const*));
    unsigned char* shared() { return shared_.get(); }

private:
    bool runLanes(unsigned warp);
    void wait() {
        Thread& thread = *current_;
        thread.waiting = true;
        thread.scheduler = std::move(thread.scheduler).resume();
    }

    std::vector<Thread> threads_;
    std::vector<Warp> warps_;
    std::unique_ptr<unsigned char[]> shared_;
    Thread* current_ = nullptr;
    std::size_t at_barrier_ = 0;
};

thread_local Block* block = nullptr;

/// Lets every lane of a warp run until it waits. Returns whether one has.
bool Block::runLanes(unsigned warp) {
    const unsigned first = warp * lanes_in_warp;
    const auto threads = static_cast<unsigned>(threads_.size());
    bool moved = false;
    for (const unsigned lane : inOrder(std::min(lanes_in_warp, threads - first))) {
        Thread& thread = threads_[first + lane];
        if (!thread.own || thread.waiting)
            continue;
        current_ = &thread;
        threadIdx = thread.index;
        thread.own = std::move(thread.own).resume();
        moved = true;
    }
    return moved;
}

/// Each warp runs as far ahead of the others as barriers allow.
void Block::run() {
    bool moved = true;
    while (moved) {
        moved = false;
        for (const unsigned warp : inOrder(static_cast<unsigned>(warps_.size())))
            while (runLanes(warp))
                moved = true;
    }
    if (std::any_of(threads_.begin(), threads_.end(), [](const Thread& t) { return t.waiting; }))
        throw std::logic_error("emulation: some threads of a block wait where others never come");
}

void Block::syncThreads() {
    if (++at_barrier_ < threads_.size()) {
        wait();
        return;
    }
    at_barrier_ = 0;
    for (Thread& thread : threads_)
        thread.waiting = false;
}

void Block::together(void* mine, void (*combine)(void* const*)) {
    const unsigned first = current_->number / lanes_in_warp * lanes_in_warp;
    Warp& warp = warps_[first / lanes_in_warp];
    if (warp.arrived > 0 && warp.combine != combine)
        throw std::logic_error("emulation: lanes of a warp meet in different operations");
    warp.combine = combine;
    warp.passed[current_->number % lanes_in_warp] = mine;
    if (++warp.arrived < lanes_in_warp) {
        wait();
        return;
    }
    warp.arrived = 0;
    combine(warp.passed);
    for (unsigned lane = 0; lane < lanes_in_warp; ++lane)
        threads_[first + lane].waiting = false;
}

} // namespace

void setOrder(Order order) {
    chosen_order = order;
    shuffler.seed(1);
}

Device& device() {
    thread_local Device one;
    return one;
}

void run(Size blocks, Size threads, std::size_t shared_bytes, const std::function<void()>& body) {
    for (const unsigned number : inOrder(blocks.x * blocks.y * blocks.z)) {
        blockIdx = place(number, blocks);
        Block one(threads, shared_bytes, body);
        block = &one;
        one.run();
    }
    block = nullptr;
}

unsigned char* sharedMemory() {
    return block->shared();
}
void syncThreads() {
    block->syncThreads();
}
void together(void* mine, void (*combine)(void* const*)) {
    block->together(mine, combine);
}

} // namespace emulation
