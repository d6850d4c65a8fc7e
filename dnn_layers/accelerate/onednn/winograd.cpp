#include "accelerate/onednn/winograd.hpp"

#include "cpu/parallel.hpp"

#include <algorithm>
#include <array>

namespace irmb::accelerate {
namespace {

constexpr int points = 16; // products of a tile

/// The scratch of a part is to stay in the second-level cache, together with some of the weights.
constexpr int part_floats = 96 * 1024;
constexpr int least_part_tiles = 24;

int tilesOf(const MapSize& target) {
    return (target.height + 1) / 2 * ((target.width + 1) / 2);
}

/// Parts of about the same size, as many for each thread.
int tilesOfPart(const MapSize& source, const MapSize& target, int threads) {
    const int tiles = tilesOf(target);
    const int most =
        std::max(least_part_tiles, part_floats / points / (source.channels + target.channels));
    const int parts = (tiles + most * threads - 1) / (most * threads) * threads;
    return (tiles + parts - 1) / parts;
}

std::size_t partFloats(const MapSize& source, const MapSize& target, int threads) {
    return cpu::kernels().winogradScratch(source.channels, target.channels,
                                          tilesOfPart(source, target, threads));
}

/// G g G^T for a kernel g of 3 x 3.
std::array<double, points> transformed(const float* g) {
    const auto transform = [](double a, double b, double c) {
        return std::array<double, 4>{a, (a + b + c) / 2, (a - b + c) / 2, c};
    };
    std::array<std::array<double, 4>, 3> columns;
    for (int j = 0; j < 3; ++j)
        columns[j] = transform(g[j], g[3 + j], g[6 + j]);
    std::array<double, points> result;
    for (int i = 0; i < 4; ++i) {
        const auto row = transform(columns[0][i], columns[1][i], columns[2][i]);
        std::copy(row.begin(), row.end(), result.begin() + 4 * i);
    }
    return result;
}

float* floats(const dnnl::memory& memory) {
    return static_cast<float*>(memory.get_data_handle());
}

} // namespace

bool suitsWinograd(const Convolution& conv, const MapSize& source, const MapSize& target,
                   int block) {
    using Pair = std::array<int, 2>;
    return conv.groups == 1 && conv.kernel == Pair{3, 3} && conv.stride == Pair{1, 1} &&
           conv.dilation == Pair{1, 1} && source.channels % block == 0 &&
           target.channels % block == 0 && cpu::kernels().lanes == block &&
           cpu::winogradActivates(conv.before) && cpu::winogradActivates(conv.after);
}

dnnl::memory packWinograd(const dnnl::engine& engine, const Convolution& conv,
                          const MapSize& source, const MapSize& target, int block) {
    const std::size_t in = source.channels;
    const std::size_t out = target.channels;
    const auto size = static_cast<dnnl::memory::dim>(points * in * out);
    const dnnl::memory packed({{size}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x},
                              engine);
    for (std::size_t o = 0; o < out; ++o)
        for (std::size_t i = 0; i < in; ++i) {
            const auto weights = transformed(conv.weight.ptr<float>() + (o * in + i) * 9);
            for (std::size_t p = 0; p < weights.size(); ++p)
                floats(packed)[((p * (out / block) + o / block) * in + i) * block + o % block] =
                    static_cast<float>(weights[p]);
        }
    return packed;
}

std::size_t WinogradTask::scratchFloats(const MapSize& source, const MapSize& target, int threads) {
    return threads * partFloats(source, target, threads);
}

WinogradTask::WinogradTask(const Convolution& conv, Arguments arguments, int threads)
    : arguments_(std::move(arguments)),
      before_(conv.before),
      after_(conv.after),
      top_(conv.pads[0]),
      left_(conv.pads[1]),
      threads_(threads) {}

cpu::Winograd WinogradTask::description() const {
    const BlockedMap& source = arguments_.source;
    const BlockedMap& target = arguments_.target;
    cpu::Winograd w = {};
    w.in = source.floats();
    w.in_blocks = source.blocks();
    w.height = source.size.height;
    w.width = source.size.width;
    w.top = top_;
    w.left = left_;
    w.weights = floats(arguments_.weights);
    w.bias = floats(arguments_.bias);
    w.before = before_;
    w.residual = arguments_.residual.memory ? arguments_.residual.floats() : nullptr;
    w.after = after_;
    w.out = target.floats();
    w.out_blocks = target.blocks();
    w.out_height = target.size.height;
    w.out_width = target.size.width;
    return w;
}

void WinogradTask::run(dnnl::stream&) {
    const MapSize& source = arguments_.source.size;
    const MapSize& target = arguments_.target.size;
    const int tiles = tilesOf(target);
    const int part_tiles = tilesOfPart(source, target, threads_);
    const std::size_t scratch_floats = partFloats(source, target, threads_);
    const cpu::Winograd all = description();
    cpu::parallelFor(threads_, [&](const cv::Range& range) {
        for (int thread = range.start; thread < range.end; ++thread) {
            cpu::Winograd part = all;
            part.scratch = floats(arguments_.scratch) + thread * scratch_floats;
            for (int tile = thread * part_tiles; tile < tiles; tile += threads_ * part_tiles) {
                part.tile_begin = tile;
                part.tile_end = std::min(tiles, tile + part_tiles);
                cpu::kernels().winograd(part);
            }
        }
    });
}

} // namespace irmb::accelerate
