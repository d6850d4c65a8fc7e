#pragma once

#include "cpu/map_view.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace irmb::cpu {

/// Keeps maps with zeros around each plane between calls. Whoever fills a map leaves its border
/// alone, so that the zeros are written once for as long as the size stays the same. Any number of
/// threads may borrow at a time.
class BorderedMaps {
    struct Memory {
        std::vector<float> floats;
        MapView view = {};
    };

public:
    /// Goes back to the others at the end of its life. Inside its border it may hold anything.
    class Map {
    public:
        Map(BorderedMaps& owner, Memory&& memory) : owner_(owner), memory_(std::move(memory)) {}
        ~Map() { owner_.give(std::move(memory_)); }
        Map(const Map&) = delete;
        Map& operator=(const Map&) = delete;

        const MapView& view() const { return memory_.view; }

    private:
        BorderedMaps& owner_;
        Memory memory_;
    };

    /// A map with `border` places for zeros on each side.
    Map borrow(int channels, int height, int width, int border) {
        Memory memory = take();
        const MapView& view = memory.view;
        if (view.channels != channels || view.height != height || view.width != width ||
            view.row != width + 2 * border)
            shape(memory, channels, height, width, border);
        return {*this, std::move(memory)};
    }

private:
    Memory take() {
        const std::lock_guard lock(mutex_);
        if (free_.empty())
            return {};
        Memory memory = std::move(free_.back());
        free_.pop_back();
        return memory;
    }

    void give(Memory&& memory) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(memory));
    }

    static void shape(Memory& memory, int channels, int height, int width, int border) {
        MapView& view = memory.view;
        view = MapView::dense(nullptr, channels, height + 2 * border, width + 2 * border);
        memory.floats.assign(channels * view.plane + leadingDimension(0), 0.f);
        view.data = memory.floats.data() + border * view.row + border;
        view.height = height;
        view.width = width;
    }

    std::mutex mutex_;
    std::vector<Memory> free_;
};

} // namespace irmb::cpu
