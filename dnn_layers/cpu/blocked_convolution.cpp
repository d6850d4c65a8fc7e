#include "cpu/blocked_convolution.hpp"

#include "cpu/parallel.hpp"
#include "cpu/rounding.hpp"

#include <opencv2/core/utility.hpp>

#include <algorithm>
#include <cstdint>

namespace irmb::cpu {
namespace {

constexpr int alignment = 16; // floats: a cache line
/// Floats of transformed tiles that stay in the second-level cache.
constexpr int cached_floats = 128 * 1024;
constexpr int least_tiles = 24; // fewer would read the weights too often; a multiple of 12
constexpr int task_pixels = 192;
constexpr int places = WinogradTile::places;

/// The first aligned place; at most `alignment` floats further.
float* aligned(float* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory) / sizeof(float);
    return memory + (alignment - address % alignment) % alignment;
}

/// An odd number of cache lines, so that the places of one tile do not share few cache sets.
std::ptrdiff_t oddLines(std::ptrdiff_t floats) {
    return ((floats + alignment - 1) / alignment | 1) * alignment;
}

/// The filter transform: the values of the polynomial with these coefficients at the points,
/// divided by what the interpolation multiplies them with.
std::array<double, WinogradTile::side> evaluate(double c0, double c1, double c2) {
    const double b = WinogradTile::point;
    const double a = 1 / b;
    const double a2 = a * a;
    const double b2 = b * b;
    const double at_a = 2 * a2 * (a2 - b2);
    const double at_b = 2 * b2 * (b2 - a2);
    return {c0,
            (c0 + a * c1 + a2 * c2) / at_a,
            (c0 - a * c1 + a2 * c2) / at_a,
            (c0 + b * c1 + b2 * c2) / at_b,
            (c0 - b * c1 + b2 * c2) / at_b,
            c2};
}

void convert(float value, float& result) {
    result = value;
}

void convert(float value, Bfloat16& result) {
    result = toBfloat16(value);
}

/// A filter [3][3] at the places of a tile, `step` apart.
template <typename Element>
void transform(const float* filter, Element* target, std::size_t step) {
    std::array<std::array<double, WinogradTile::side>, 3> rows;
    for (int y = 0; y < 3; ++y)
        rows[y] = evaluate(filter[3 * y], filter[3 * y + 1], filter[3 * y + 2]);
    for (int x = 0; x < WinogradTile::side; ++x) {
        const auto column = evaluate(rows[0][x], rows[1][x], rows[2][x]);
        for (int y = 0; y < WinogradTile::side; ++y)
            convert(static_cast<float>(column[y]), target[(y * WinogradTile::side + x) * step]);
    }
}

/// Where part `number` of `parts` equal ones of [0, count) begins.
int share(int count, int number, int parts) {
    return static_cast<int>(std::int64_t{count} * number / parts);
}

void callPointwise(const Pointwise<float>& p) {
    kernels().pointwise(p);
}

void callPointwise(const Pointwise<Bfloat16>& p) {
    kernels().pointwise_bf16(p);
}

void callWinograd(const Winograd<float>& w) {
    kernels().winograd(w);
}

void callWinograd(const Winograd<Bfloat16>& w) {
    kernels().winograd_bf16(w);
}

} // namespace

bool BlockedConvolution::supports(const Shape& s, Activation before, Activation after) {
    const std::array<int, 2> ones = {1, 1};
    const std::array<int, 2> threes = {3, 3};
    const int block = kernels().lanes;
    return s.groups == 1 && s.stride == ones && s.dilation == ones &&
           (s.kernel == ones || s.kernel == threes) && s.in % block == 0 && s.out % block == 0 &&
           before != Activation::Prelu && after != Activation::Prelu;
}

BlockedConvolution::BlockedConvolution(const Shape& shape, const float* weights, const float* bias,
                                       Activation before, Activation after, MapType type)
    : shape_(shape), before_(before), after_(after), type_(type), bias_(shape.out) {
    if (bias)
        std::copy_n(bias, shape.out, bias_.begin());
    if (type == MapType::Float32)
        pack<float>(weights);
    else
        pack<Bfloat16>(weights);
}

template <typename Element>
Element* BlockedConvolution::makeRoom(std::size_t size) {
    memory_.resize(size * sizeof(Element) / sizeof(float) + alignment);
    weights_ = aligned(memory_.data());
    return reinterpret_cast<Element*>(aligned(memory_.data()));
}

/// Where kernels expect a weight: the channels that share a lane lie together.
template <typename Element>
std::size_t BlockedConvolution::place(int out, int in) const {
    const int block = kernels().lanes;
    const int together = sizeof(float) / sizeof(Element);
    const std::size_t row = static_cast<std::size_t>(out / block) * shape_.in + in - in % together;
    return row * block + out % block * together + in % together;
}

template <typename Element>
void BlockedConvolution::pack(const float* weights) {
    const std::size_t size = static_cast<std::size_t>(shape_.in) * shape_.out;
    auto* packed = makeRoom<Element>(isPointwise() ? size : size * places);
    for (int o = 0; o < shape_.out; ++o)
        for (int i = 0; i < shape_.in; ++i)
            if (isPointwise()) {
                convert(*weights++, packed[place<Element>(o, i)]);
            } else {
                transform(weights, packed + place<Element>(o, i), size);
                weights += 9;
            }
}

void BlockedConvolution::run(const Maps& maps, BufferPool& pool) const {
    if (type_ == MapType::Float32)
        runAs<float>(maps, pool);
    else
        runAs<Bfloat16>(maps, pool);
}

template <typename Element>
void BlockedConvolution::runAs(const Maps& maps, BufferPool& pool) const {
    const Epilogue<Element> epilogue = {bias_.data(), static_cast<const Element*>(maps.residual),
                                        before_, after_};
    if (isPointwise())
        runPointwise<Element>(maps, epilogue, pool);
    else
        runWinograd<Element>(maps, epilogue, pool);
}

template <typename Element>
void BlockedConvolution::runPointwise(const Maps& maps, const Epilogue<Element>& epilogue,
                                      BufferPool& pool) const {
    const int block = kernels().lanes;
    Pointwise<Element> p = {};
    p.in = static_cast<const Element*>(maps.in);
    p.in_blocks = shape_.in / block;
    p.weights = reinterpret_cast<const Element*>(weights_);
    p.out = static_cast<Element*>(maps.out);
    p.out_blocks = shape_.out / block;
    p.pixels = maps.height * maps.width;
    p.epilogue = epilogue;
    const int parts = tasksFor(p.pixels, task_pixels);
    const int step = ceilDivide(p.pixels, parts);
    parallelFor(ceilDivide(p.pixels, step), [&](const cv::Range& range) {
        BufferPool::Buffer buffer = pool.borrow(std::size_t{gathered_pixels} * shape_.in);
        Pointwise<Element> part = p;
        part.scratch = reinterpret_cast<Element*>(buffer.data());
        part.first = range.start * step;
        part.last = std::min(p.pixels, range.end * step);
        callPointwise(part);
    });
}

/// Tiles that are transformed at a time: as many as the cache holds, and a multiple of what
/// products take together.
int BlockedConvolution::tilesTogether() const {
    const int whole = kernels().product_places;
    return std::max(least_tiles, cached_floats / (places * (shape_.in + shape_.out))) / whole *
           whole;
}

template <typename Element>
void BlockedConvolution::runWinograd(const Maps& maps, const Epilogue<Element>& epilogue,
                                     BufferPool& pool) const {
    const int block = kernels().lanes;
    Winograd<Element> w = {};
    w.in = static_cast<const Element*>(maps.in);
    w.in_blocks = shape_.in / block;
    w.in_height = maps.in_height;
    w.in_width = maps.in_width;
    w.pad_top = maps.pad_top;
    w.pad_left = maps.pad_left;
    w.weights = reinterpret_cast<const Element*>(weights_);
    w.out = static_cast<Element*>(maps.out);
    w.out_blocks = shape_.out / block;
    w.height = maps.height;
    w.width = maps.width;
    w.epilogue = epilogue;
    w.tile_cols = ceilDivide(maps.width, WinogradTile::out_side);
    const int tiles = w.tile_cols * ceilDivide(maps.height, WinogradTile::out_side);
    const int step = std::min(tiles, tilesTogether());
    w.in_step = oddLines(std::ptrdiff_t{1} * step * shape_.in);
    w.out_step = oddLines(std::ptrdiff_t{1} * step * shape_.out);
    const std::size_t scratch = (w.in_step + w.out_step) * places;
    const int parts = std::min(tiles, std::max(1, cv::getNumThreads()));
    parallelFor(parts, [&](const cv::Range& range) {
        BufferPool::Buffer buffer = pool.borrow(scratch);
        Winograd<Element> part = w;
        part.scratch = buffer.data();
        const int end = share(tiles, range.end, parts);
        for (part.first = share(tiles, range.start, parts); part.first < end;
             part.first = part.last) {
            part.last = std::min(end, part.first + step);
            callWinograd(part);
        }
    });
}

} // namespace irmb::cpu
