#include "accelerate/placement.hpp"

#include <algorithm>
#include <numeric>

namespace irmb::accelerate {
namespace {

/// Values that lie in another one, as far as that was decided.
class Nesting {
public:
    Nesting(const Region& region, int block)
        : region_(region), block_(block), outer_(region.values.size(), {-1, 0}) {}

    struct Spot {
        int value;   ///< that lies in no other
        int channel; ///< in it
    };

    Spot spotOf(int value) const {
        Spot spot{value, 0};
        while (outer_[spot.value].value >= 0) {
            spot.channel += outer_[spot.value].channel;
            spot.value = outer_[spot.value].value;
        }
        return spot;
    }

    void nestSplit(const Step& step) {
        const int source = step.inputs[0];
        const Split& split = std::get<Split>(step.operation);
        for (std::size_t i = 0; i < step.outputs.size(); ++i)
            if (fits(step.outputs[i], split.begin[i], channels(source)))
                outer_[step.outputs[i]] = {source, split.begin[i]};
    }

    void nestConcat(const Step& step) {
        const int target = step.outputs[0];
        int channel = 0;
        for (std::size_t i = 0; i < step.inputs.size();) {
            const std::size_t count = wholeValue(step.inputs, i);
            const int root = spotOf(step.inputs[i]).value;
            if (count > 0 && root != target && fits(root, channel, channels(target)))
                outer_[root] = {target, channel};
            for (std::size_t end = i + std::max<std::size_t>(count, 1); i < end; ++i)
                channel += channels(step.inputs[i]);
        }
    }

private:
    int channels(int value) const { return region_.values[value].channels; }

    /// Whether a value can begin at `channel` of one with `total` channels.
    bool fits(int value, int channel, int total) const {
        const int end = channel + channels(value);
        return channel % block_ == 0 && (end % block_ == 0 || end == total);
    }

    /// The number of operands from `first` on that make up one whole value in order, or 0.
    std::size_t wholeValue(const std::vector<int>& operands, std::size_t first) const {
        const int root = spotOf(operands[first]).value;
        int channel = 0;
        for (std::size_t i = first; i < operands.size(); ++i) {
            const Spot spot = spotOf(operands[i]);
            if (spot.value != root || spot.channel != channel)
                return 0;
            channel += channels(operands[i]);
            if (channel == channels(root))
                return i - first + 1;
        }
        return 0;
    }

    const Region& region_;
    int block_;
    std::vector<Spot> outer_;
};

} // namespace

Placement placeValues(const Region& region, int block) {
    Nesting nesting(region, block);
    for (const Step& step : region.steps)
        if (std::holds_alternative<Split>(step.operation))
            nesting.nestSplit(step);
    for (const Step& step : region.steps)
        if (std::holds_alternative<Concat>(step.operation))
            nesting.nestConcat(step);

    Placement placement;
    std::vector<int> buffer_of(region.values.size(), -1);
    for (std::size_t value = 0; value < region.values.size(); ++value) {
        const auto spot = nesting.spotOf(static_cast<int>(value));
        int& buffer = buffer_of[spot.value];
        if (buffer < 0) {
            buffer = static_cast<int>(placement.buffers.size());
            const int last = static_cast<int>(region.steps.size());
            placement.buffers.push_back({region.values[spot.value], last, 0});
        }
        placement.places.push_back({buffer, spot.channel});
    }
    const auto touch = [&](int value, int step) {
        Buffer& buffer = placement.buffers[placement.places[value].buffer];
        buffer.first_step = std::min(buffer.first_step, step);
        buffer.last_step = std::max(buffer.last_step, step);
    };
    for (const int value : region.inputs)
        touch(value, 0);
    for (const int value : region.outputs)
        touch(value, static_cast<int>(region.steps.size()));
    for (std::size_t step = 0; step < region.steps.size(); ++step)
        for (const auto* values : {&region.steps[step].inputs, &region.steps[step].outputs})
            for (const int value : *values)
                touch(value, static_cast<int>(step));
    return placement;
}

std::vector<std::size_t> planArena(const std::vector<Piece>& pieces, std::size_t alignment,
                                   std::size_t& total) {
    std::vector<std::size_t> order(pieces.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return pieces[a].bytes > pieces[b].bytes;
    });
    std::vector<std::size_t> offsets(pieces.size());
    std::vector<std::size_t> placed; // by offset
    total = 0;
    for (const std::size_t piece : order) {
        const std::size_t bytes = (pieces[piece].bytes + alignment - 1) / alignment * alignment;
        std::size_t offset = 0;
        for (const std::size_t other : placed) {
            const bool together = pieces[other].first_step <= pieces[piece].last_step &&
                                  pieces[piece].first_step <= pieces[other].last_step;
            if (!together)
                continue;
            if (offset + bytes <= offsets[other])
                break;
            const std::size_t end = offsets[other] + pieces[other].bytes;
            offset = std::max(offset, (end + alignment - 1) / alignment * alignment);
        }
        offsets[piece] = offset;
        total = std::max(total, offset + bytes);
        placed.insert(
            std::upper_bound(placed.begin(), placed.end(), piece,
                             [&](std::size_t a, std::size_t b) { return offsets[a] < offsets[b]; }),
            piece);
    }
    return offsets;
}

} // namespace irmb::accelerate
