#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace vigil {

/// Hand-over between two stages that holds a few items. Either end may shut it: the producer with
/// close(), after which the consumer still gets what is inside, the consumer with abort().
template <typename T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Waits for room. False when nobody will take the item any more.
    bool push(T item) {
        std::unique_lock<std::mutex> lock(mutex_);
        has_room_.wait(lock, [this] { return closed_ || items_.size() < capacity_; });
        return !closed_ && append(std::move(item));
    }

    /// Never waits: the item replaces those inside, whose number is added to `dropped`.
    bool pushNewest(T item, int64_t& dropped) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (closed_)
            return false;
        dropped += static_cast<int64_t>(items_.size());
        items_.clear();
        return append(std::move(item));
    }

    /// Never waits: does nothing unless the queue is empty.
    void pushIfEmpty(T item) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!closed_ && items_.empty())
            append(std::move(item));
    }

    /// Waits for an item. Empty when there will be none any more.
    std::optional<T> pop() {
        std::unique_lock<std::mutex> lock(mutex_);
        ++waiting_;
        has_demand_.notify_all();
        has_item_.wait(lock, [this] { return closed_ || !items_.empty(); });
        --waiting_;
        if (items_.empty())
            return std::nullopt;
        std::optional<T> item(std::move(items_.front()));
        items_.pop_front();
        has_room_.notify_one();
        return item;
    }

    /// Waits until the consumer has nothing to do, or the queue is shut.
    void awaitDemand() {
        std::unique_lock<std::mutex> lock(mutex_);
        has_demand_.wait(lock, [this] { return closed_ || (waiting_ > 0 && items_.empty()); });
    }

    void close() { shut(false); }
    void abort() { shut(true); }

private:
    bool append(T item) {
        items_.push_back(std::move(item));
        has_item_.notify_one();
        return true;
    }

    void shut(bool discard) {
        const std::lock_guard<std::mutex> lock(mutex_);
        closed_ = true;
        if (discard)
            items_.clear();
        has_room_.notify_all();
        has_item_.notify_all();
        has_demand_.notify_all();
    }

    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable has_room_;
    std::condition_variable has_item_;
    std::condition_variable has_demand_;
    std::deque<T> items_;
    int waiting_ = 0; ///< consumers in pop()
    bool closed_ = false;
};

} // namespace vigil
