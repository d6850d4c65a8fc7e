#include "cpu/thin_convolution.hpp"

#include "cpu/parallel.hpp"
#include "cpu/rounding.hpp"

#include <algorithm>

namespace irmb::cpu {
namespace {

constexpr int most_channels = 4;
/// Pixels of the result in one task, about: what they need stays in the first-level cache.
constexpr int task_pixels = 640;

void callThin(const Thin<float>& t) {
    kernels().thin(t);
}

void callThin(const Thin<Bfloat16>& t) {
    kernels().thin_bf16(t);
}

} // namespace

bool ThinConvolution::supports(const Shape& s, Activation before, Activation after) {
    return s.groups == 1 && s.in <= most_channels && s.out % kernels().lanes == 0 &&
           before != Activation::Prelu && after != Activation::Prelu;
}

ThinConvolution::ThinConvolution(const Shape& shape, const float* weights, const float* bias,
                                 Activation before, Activation after, MapType type)
    : shape_(shape), before_(before), after_(after), type_(type), bias_(shape.out) {
    if (bias)
        std::copy_n(bias, shape.out, bias_.begin());
    const int block = kernels().lanes;
    const int taps = shape.in * shape.kernel[0] * shape.kernel[1];
    weights_.resize(std::size_t{1} * shape.out * taps);
    for (int o = 0; o < shape.out; ++o)
        for (int tap = 0; tap < taps; ++tap)
            weights_[(std::size_t{1} * (o / block) * taps + tap) * block + o % block] = *weights++;
}

void ThinConvolution::run(const Maps& maps, BufferPool& pool) const {
    if (type_ == MapType::Float32)
        runAs<float>(maps, pool);
    else
        runAs<Bfloat16>(maps, pool);
}

template <typename Element>
void ThinConvolution::runAs(const Maps& maps, BufferPool& pool) const {
    const int rows =
        ceilDivide(maps.height, tasksFor(maps.height, std::max(1, task_pixels / maps.width)));
    Thin<Element> t = {};
    t.in = static_cast<const float*>(maps.in);
    t.channels = shape_.in;
    setSizes(t, shape_, maps);
    t.weights = weights_.data();
    t.out = static_cast<Element*>(maps.out);
    t.epilogue = {bias_.data(), static_cast<const Element*>(maps.residual), before_, after_};
    const std::size_t patch = std::size_t{1} * shape_.in * reach(rows, shape_, 0) * t.patch_width;
    parallelFor(ceilDivide(maps.height, rows), [&](const cv::Range& range) {
        BufferPool::Buffer buffer = pool.borrow(patch);
        Thin<Element> part = t;
        part.patch = buffer.data();
        for (int i = range.start; i < range.end; ++i) {
            part.first = i * rows;
            part.last = std::min(maps.height, part.first + rows);
            callThin(part);
        }
    });
}

} // namespace irmb::cpu
