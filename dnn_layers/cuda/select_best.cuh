#pragma once

#include "cuda/tile.cuh"

/// The largest of many numbers, sorted, by one block.

namespace irmb::cuda {

/// A place in a ranking: a score in the upper half and in the lower one what decides between equal
/// scores, so that no two are alike. 0: none.
using Rank = unsigned long long;

constexpr int rank_threads = 1024;

/// Ranks are compared a digit at a time, the best digits first.
constexpr int digit_bits = 8;
constexpr int digits = 1 << digit_bits;

/// The digit at which as many ranks are reached as are wanted.
struct Digit {
    int value;
    int better; ///< ranks with a better one
    int count;  ///< ranks that have it
};

/// Shared memory of a block that calls selectBest(): the best ranks, how many were found, how many
/// ranks have each digit, and the digit that is looked for.
constexpr int select_best_bytes = rank_threads * static_cast<int>(sizeof(Rank)) +
                                  (1 + digits) * static_cast<int>(sizeof(int)) +
                                  static_cast<int>(sizeof(Digit));

__device__ inline bool isFinite(float x) {
    return fabsf(x) <= 3.402823466e38f;
}

/// A score as a number that compares as it does; 0 for what does not count: NaN and infinities.
__device__ inline unsigned orderOf(float score) {
    if (!isFinite(score))
        return 0;
    const float value = score + 0.f; // -0 and 0 are equal
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

/// The score of orderOf().
__device__ inline float scoreOf(unsigned order) {
    const unsigned bits = (order & 0x80000000u) != 0 ? order & 0x7fffffffu : ~order;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/// Of equal orders the one with the smaller number comes first.
__device__ inline Rank rankOf(unsigned order, int number) {
    return order == 0 ? 0 : static_cast<Rank>(order) << 32 | (0xffffffffu - number);
}
__device__ inline unsigned orderOf(Rank rank) {
    return static_cast<unsigned>(rank >> 32);
}
__device__ inline int numberOf(Rank rank) {
    return static_cast<int>(0xffffffffu - static_cast<unsigned>(rank));
}

/// Finds the digit at which `wanted` ranks are reached, if there are as many. By one warp, each
/// lane of which takes digits / warp_size of them.
__device__ inline void findDigit(const int* counts, int wanted, Digit* found) {
    constexpr int run = digits / warp_size;
    const int lane = threadIdx.x;
    const int first = digits - 1 - lane * run; // lane 0 has the best ones
    int mine = 0;
#pragma unroll
    for (int i = 0; i < run; ++i)
        mine += counts[first - i];
    int sum = mine; // of this lane and those before
    for (int step = 1; step < warp_size; step *= 2) {
        const int before = __shfl_up_sync(0xffffffffu, sum, step);
        sum += lane >= step ? before : 0;
    }
    int better = sum - mine;
    if (better >= wanted || sum < wanted)
        return; // another lane has it
    int i = 0;
    while (better + counts[first - i] < wanted)
        better += counts[first - i++];
    *found = {first - i, better, counts[first - i]};
}

/// A number that `keep` of rankAt(0), ..., rankAt(count - 1) reach, or 0 where there are no more
/// than that. Found digit by digit.
template <typename RankAt>
__device__ Rank leastOfBest(int count, int keep, const RankAt& rankAt, int* counts, Digit* found) {
    Rank least = 0;
    int wanted = keep;
    for (int shift = 64 - digit_bits; shift >= 0; shift -= digit_bits) {
        if (threadIdx.x < digits)
            counts[threadIdx.x] = 0;
        __syncthreads();
        if (threadIdx.x == 0)
            *found = {-1, 0, 0}; // everyone has read the last one
        for (int i = threadIdx.x; i < count; i += rank_threads) {
            const Rank rank = rankAt(i);
            if (rank != 0 && (rank ^ least) >> shift >> digit_bits == 0)
                atomicAdd(counts + (rank >> shift) % digits, 1);
        }
        __syncthreads();
        if (threadIdx.x < warp_size)
            findDigit(counts, wanted, found);
        __syncthreads();
        if (found->value < 0)
            return 0;
        least |= static_cast<Rank>(found->value) << shift;
        wanted -= found->better;
        if (found->count == wanted)
            break;
    }
    return least;
}

/// Bitonic sort of rank_threads numbers in shared memory, largest first.
__device__ inline void sortDescending(Rank* ranks) {
    const int mine = threadIdx.x;
    for (int run = 2; run <= rank_threads; run *= 2)
        for (int step = run / 2; step > 0; step /= 2) {
            const int other = mine ^ step;
            const bool descends = (mine & run) == 0;
            if (other > mine && (ranks[mine] < ranks[other]) == descends) {
                const Rank swapped = ranks[mine];
                ranks[mine] = ranks[other];
                ranks[other] = swapped;
            }
            // Partners less than a warp apart, in this step and the next, are in one warp.
            const int next = step > 1 ? step / 2 : run;
            if (step < warp_size && next < warp_size)
                __syncwarp();
            else
                __syncthreads();
        }
}

/// The `keep` largest, or all there are, of rankAt(0), ..., rankAt(count - 1), in shared memory,
/// largest first; 0 in the rest of rank_threads places. `keep` is at most rank_threads.
template <typename RankAt>
__device__ const Rank* selectBest(int count, int keep, const RankAt& rankAt) {
    Rank* best = reinterpret_cast<Rank*>(sharedMemory());
    int* found = reinterpret_cast<int*>(best + rank_threads);
    const Rank least =
        leastOfBest(count, keep, rankAt, found + 1, reinterpret_cast<Digit*>(found + 1 + digits));
    best[threadIdx.x] = 0;
    if (threadIdx.x == 0)
        *found = 0;
    __syncthreads();
    for (int i = threadIdx.x; i < count; i += rank_threads) {
        const Rank rank = rankAt(i);
        if (rank != 0 && rank >= least)
            best[atomicAdd(found, 1)] = rank;
    }
    __syncthreads();
    sortDescending(best);
    return best;
}

} // namespace irmb::cuda
