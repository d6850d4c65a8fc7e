#include "cuda/candidates.hpp"
#include "cuda/device_array.hpp"
#include "cuda/launchers.hpp"
#include "cuda/select_best.cuh"

namespace irmb::cuda {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / warp_size;
constexpr int row_numbers = 6;
static_assert(most_candidates == rank_threads, "selectBest() has no place for more");

template <typename T>
struct CandidateArgs {
    const T* distances;
    const T* scores;
    const float* offsets;
    const float* factors;
    HeadShape head;
    unsigned* best;  ///< [images][anchors]: order of the best score
    Rank* anchors;   ///< [images][keep]: the best anchors, ranked
    int* pair_count; ///< [images]
    Rank* pairs;     ///< [images][pair_count]: of anchor and class, numbered by rank and class
    T* rows;
};

/// Corner coordinate `side` of an anchor's box: x1, y1, x2, y2.
template <typename T>
__device__ float corner(const CandidateArgs<T>& args, int image, int side, int anchor) {
    const int place = side * args.head.anchors + anchor;
    const long long first = static_cast<long long>(image) * 4 * args.head.anchors;
    return args.offsets[place] + args.factors[place] * toFloat(args.distances[first + place]);
}

template <typename T>
__device__ bool hasFiniteBox(const CandidateArgs<T>& args, int image, int anchor) {
    bool finite = true;
#pragma unroll
    for (int side = 0; side < 4; ++side)
        finite &= isFinite(corner(args, image, side, anchor));
    return finite;
}

template <typename T>
__device__ const T* scoresOf(const CandidateArgs<T>& args, int image) {
    return args.scores + static_cast<long long>(image) * args.head.classes * args.head.anchors;
}

/// The best score of each anchor. A block takes 32 anchors (x) of an image (y), its warps share out
/// the classes.
template <typename T>
__global__ void __launch_bounds__(threads) bestScores(CandidateArgs<T> args) {
    unsigned* shared = reinterpret_cast<unsigned*>(sharedMemory());
    const int warp = threadIdx.x / warp_size;
    const int anchor = blockIdx.x * warp_size + threadIdx.x % warp_size;
    const int image = blockIdx.y;
    const bool exists = anchor < args.head.anchors;
    const T* scores = scoresOf(args, image) + anchor;
    unsigned best = 0;
    if (exists) {
#pragma unroll 4
        for (int c = warp; c < args.head.classes; c += warps)
            best = max(best, orderOf(toFloat(scores[c * args.head.anchors])));
    }
    shared[threadIdx.x] = best;
    __syncthreads();
    if (warp > 0 || !exists)
        return;
    for (int other = 1; other < warps; ++other)
        best = max(best, shared[other * warp_size + threadIdx.x]);
    args.best[static_cast<long long>(image) * args.head.anchors + anchor] =
        hasFiniteBox(args, image, anchor) ? best : 0;
}

/// The best anchors of an image (x) by one block.
template <typename T>
__global__ void __launch_bounds__(rank_threads) rankAnchors(CandidateArgs<T> args) {
    const int image = blockIdx.x;
    const unsigned* best = args.best + static_cast<long long>(image) * args.head.anchors;
    const Rank* ranked =
        selectBest(args.head.anchors, args.head.keep, [best](int i) { return rankOf(best[i], i); });
    if (static_cast<int>(threadIdx.x) < args.head.keep)
        args.anchors[image * args.head.keep + threadIdx.x] = ranked[threadIdx.x];
    if (threadIdx.x == 0)
        args.pair_count[image] = 0;
}

/// All pairs of the best anchors of an image (y) and a class that can be among the best: as many as
/// are kept have at least the best score of the last of these anchors. In any order; what ranks
/// them next goes by their numbers.
template <typename T>
__global__ void __launch_bounds__(threads) collectPairs(CandidateArgs<T> args) {
    const int image = blockIdx.y;
    const int pair = blockIdx.x * threads + threadIdx.x;
    const int rank = pair % args.head.keep;
    const int c = pair / args.head.keep;
    if (c >= args.head.classes)
        return;
    const Rank* anchors = args.anchors + image * args.head.keep;
    if (anchors[rank] == 0)
        return;
    const int place = c * args.head.anchors + numberOf(anchors[rank]);
    const unsigned order = orderOf(toFloat(scoresOf(args, image)[place]));
    if (order == 0 || order < orderOf(anchors[args.head.keep - 1]))
        return;
    Rank* pairs = args.pairs + static_cast<long long>(image) * args.head.keep * args.head.classes;
    pairs[atomicAdd(args.pair_count + image, 1)] = rankOf(order, rank * args.head.classes + c);
}

/// Writes x as the sum of two numbers of type T.
template <typename T>
__device__ void storeSplit(T* rounded, T* rest, float x) {
    store(rounded, x);
    store(rest, x - toFloat(*rounded));
}

/// The best pairs of an image (x), as rows, by one block.
template <typename T>
__global__ void __launch_bounds__(rank_threads) rankPairs(CandidateArgs<T> args) {
    const int image = blockIdx.x;
    const int keep = args.head.keep;
    const Rank* pairs = args.pairs + static_cast<long long>(image) * keep * args.head.classes;
    const Rank* ranked =
        selectBest(args.pair_count[image], keep, [pairs](int i) { return pairs[i]; });
    const int row = threadIdx.x;
    if (row >= keep)
        return;
    float numbers[row_numbers] = {};
    if (ranked[row] != 0) {
        const int pair = numberOf(ranked[row]);
        const int anchor = numberOf(args.anchors[image * keep + pair / args.head.classes]);
        for (int side = 0; side < 4; ++side)
            numbers[side] = corner(args, image, side, anchor);
        numbers[4] = scoreOf(orderOf(ranked[row]));
        numbers[5] = static_cast<float>(pair % args.head.classes);
    }
    T* rounded = args.rows + (static_cast<long long>(image) * 2 * keep + row) * row_numbers;
    T* rest = rounded + keep * row_numbers;
    for (int i = 0; i < row_numbers; ++i)
        storeSplit(rounded + i, rest + i, numbers[i]);
}

/// Where the parts of the scratch memory begin.
struct Scratch {
    Scratch(const HeadShape& head, int images) {
        const std::size_t kept = static_cast<std::size_t>(images) * head.keep;
        best = take(sizeof(unsigned) * images * head.anchors);
        anchors = take(sizeof(Rank) * kept);
        pair_count = take(sizeof(int) * images);
        pairs = take(sizeof(Rank) * kept * head.classes);
    }

    std::size_t take(std::size_t part_bytes) {
        const std::size_t place = bytes;
        bytes += (part_bytes + 255) / 256 * 256;
        return place;
    }

    std::size_t bytes = 0;
    std::size_t best;
    std::size_t anchors;
    std::size_t pair_count;
    std::size_t pairs;
};

std::vector<float> fourRows(const float* numbers, int anchors) {
    return {numbers, numbers + std::size_t{4} * anchors};
}

} // namespace

struct CandidateKernels::Impl {
    Impl(const HeadShape& shape, const float* host_offsets, const float* host_factors,
         const std::string& name)
        : layer("Candidates '" + name + "'"),
          head(shape),
          offsets(fourRows(host_offsets, shape.anchors), layer),
          factors(fourRows(host_factors, shape.anchors), layer) {}

    void requireLaunched(cudaError_t error, const char* kernel) const {
        require(error, layer, {"CUDA kernel ", kernel});
    }

    std::string layer;
    HeadShape head;
    DeviceArray<float> offsets;
    DeviceArray<float> factors;
};

CandidateKernels::CandidateKernels(const HeadShape& head, const float* offsets,
                                   const float* factors, const std::string& layer)
    : impl_(std::make_unique<Impl>(head, offsets, factors, layer)) {}

CandidateKernels::~CandidateKernels() = default;

std::size_t CandidateKernels::scratchBytes(int images) const {
    return Scratch(impl_->head, images).bytes;
}

template <typename T>
void CandidateKernels::launch(cudaStream_t stream, const T* distances, const T* scores, T* rows,
                              void* scratch, int images) const {
    const HeadShape& head = impl_->head;
    if (!candidatesFit(head, images))
        throw Error(impl_->layer + ": a batch of " + std::to_string(images) + " heads of " +
                    std::to_string(head.classes) + " classes and " + std::to_string(head.anchors) +
                    " anchors, of which " + std::to_string(head.keep) +
                    " are kept, is empty or too large for the CUDA kernels");
    const Scratch places(head, images);
    char* memory = static_cast<char*>(scratch);
    const CandidateArgs<T> args = {distances,
                                   scores,
                                   impl_->offsets.data(),
                                   impl_->factors.data(),
                                   head,
                                   reinterpret_cast<unsigned*>(memory + places.best),
                                   reinterpret_cast<Rank*>(memory + places.anchors),
                                   reinterpret_cast<int*>(memory + places.pair_count),
                                   reinterpret_cast<Rank*>(memory + places.pairs),
                                   rows};
    constexpr int best_bytes = threads * static_cast<int>(sizeof(unsigned));
    impl_->requireLaunched(launchKernel(bestScores<T>,
                                        dim3(divideUp(head.anchors, warp_size), images), threads,
                                        best_bytes, stream, args),
                           "bestScores");
    impl_->requireLaunched(
        launchKernel(rankAnchors<T>, dim3(images), rank_threads, select_best_bytes, stream, args),
        "rankAnchors");
    impl_->requireLaunched(launchKernel(collectPairs<T>,
                                        dim3(divideUp(head.keep * head.classes, threads), images),
                                        threads, 0, stream, args),
                           "collectPairs");
    impl_->requireLaunched(
        launchKernel(rankPairs<T>, dim3(images), rank_threads, select_best_bytes, stream, args),
        "rankPairs");
}

template void CandidateKernels::launch(cudaStream_t, const float*, const float*, float*, void*,
                                       int) const;
template void CandidateKernels::launch(cudaStream_t, const __half*, const __half*, __half*, void*,
                                       int) const;

} // namespace irmb::cuda
