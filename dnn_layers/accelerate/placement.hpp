#pragma once

#include "accelerate/region.hpp"

#include <cstddef>

namespace irmb::accelerate {

/// Where a value lies: channels [channel, channel + its own) of a buffer.
struct Place {
    int buffer = -1;
    int channel = 0; ///< a multiple of the block
};

/// A map whose channels come in blocks; the last one is filled up with zeros.
struct Buffer {
    MapSize size;
    int first_step = 0; ///< that writes it
    int last_step = 0;  ///< that reads it
};

struct Placement {
    std::vector<Place> places; ///< one a value
    std::vector<Buffer> buffers;
};

/// Gives each value a place. The operands of a Concat lie in its result and the results of a Split
/// in its operand wherever blocks of `block` channels allow, so that nothing is copied.
Placement placeValues(const Region& region, int block);

/// A piece of memory that is needed from one step to another.
struct Piece {
    std::size_t bytes = 0;
    int first_step = 0;
    int last_step = 0;
};

/// Offsets of pieces in an arena such that no two that are needed at the same time overlap, each a
/// multiple of `alignment`. `total` becomes the size of the arena.
std::vector<std::size_t> planArena(const std::vector<Piece>& pieces, std::size_t alignment,
                                   std::size_t& total);

} // namespace irmb::accelerate
