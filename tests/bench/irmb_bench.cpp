#include "cpu/irmb_cpu.hpp"
#include "layer/flops.hpp"
#include "support/random_irmb.hpp"

#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace {

/// Multiplies and adds in twelve independent chains of vectors.
template <typename Vec>
__attribute__((always_inline)) inline double passFlops(int steps, Vec* sums) {
    constexpr int chains = 12;
    Vec sum[chains];
    for (int i = 0; i < chains; ++i)
        sum[i] = Vec{} + static_cast<float>(i); // equal chains would become one
#pragma GCC unroll 1
    for (int i = 0; i < steps; ++i)
#pragma GCC unroll 12
        for (Vec& chain : sum)
            chain = chain * 0.999f + 1e-3f;
    *sums = Vec{};
    for (const Vec& chain : sum)
        *sums += chain;
    return 2. * steps * chains * sizeof(Vec) / sizeof(float);
}

using Vec4 __attribute__((vector_size(16))) = float;
double basePass(int steps) {
    Vec4 sum;
    const double flops = passFlops(steps, &sum);
    benchmark::DoNotOptimize(sum);
    return flops;
}

#if defined(__x86_64__)
using Vec8 __attribute__((vector_size(32))) = float;
using Vec16 __attribute__((vector_size(64))) = float;

__attribute__((target("avx2,fma"))) double avx2Pass(int steps) {
    Vec8 sum;
    const double flops = passFlops(steps, &sum);
    benchmark::DoNotOptimize(sum);
    return flops;
}

__attribute__((target("avx512f,prefer-vector-width=512"))) double avx512Pass(int steps) {
    Vec16 sum;
    const double flops = passFlops(steps, &sum);
    benchmark::DoNotOptimize(sum);
    return flops;
}
#endif

auto widestPass() {
#if defined(__x86_64__)
    if (cv::checkHardwareSupport(CV_CPU_AVX512_SKX))
        return avx512Pass;
    if (cv::checkHardwareSupport(CV_CPU_AVX2) && cv::checkHardwareSupport(CV_CPU_FMA3))
        return avx2Pass;
#endif
    return basePass;
}

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Floating-point operations that one thread does in a second, multiplying and adding alone.
double peakFlops() {
    static const auto pass = widestPass();
    const auto start = Clock::now();
    const double flops = pass(20'000);
    return flops / secondsSince(start);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0. : values[values.size() / 2];
}

} // namespace

/// The fused block at the head inputs of YOLOv10n (window 7, dim_head 8, ReLU, as YOLO ports have
/// it) for 640 x 640 pixels. Arguments: channels, side of the map, threads. "floors" is how many
/// times the block takes what its operations take at the processor's multiply-and-add rate, "peak".
/// That rate changes with the clock and with what else the machine does, so it is measured in turns
/// with the block; all figures but "Time" are medians.
static void forwardBlock(benchmark::State& state) {
    irmb::IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = static_cast<int>(state.range(0));
    params.act = irmb::Activation::Relu;
    const int side = static_cast<int>(state.range(1));
    cv::setNumThreads(static_cast<int>(state.range(2)));

    cv::RNG rng(1);
    const irmb::IrmbCpu block(params, irmb::test::randomWeights(params, rng));
    const cv::Mat x = irmb::test::randomMap({1, params.dim_in, side, side}, rng);
    cv::Mat y = x.clone();
    std::vector<double> peaks;
    std::vector<double> times_s;
    for (auto _ : state) {
        peaks.push_back(peakFlops());
        const auto start = Clock::now();
        block.forward(x, y);
        times_s.push_back(secondsSince(start));
        state.SetIterationTime(times_s.back());
    }
    const double peak = median(peaks) * static_cast<double>(state.range(2));
    const auto flops = static_cast<double>(irmb::flops(params, side, side));
    state.counters["median_ms"] = median(times_s) * 1e3;
    state.counters["floors"] = median(times_s) * peak / flops;
    state.counters["peak_GFLOP/s"] = peak / 1e9;
}

BENCHMARK(forwardBlock)
    ->ArgNames({"channels", "side", "threads"})
    ->Args({64, 80, 1})
    ->Args({128, 40, 1})
    ->Args({256, 20, 1})
    ->Args({64, 80, 2})
    ->Args({128, 40, 2})
    ->Args({256, 20, 2})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
