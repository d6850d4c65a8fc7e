#include "cpu/irmb_cpu.hpp"
#include "layer/flops.hpp"
#include "support/random_irmb.hpp"

#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>

/// The fused block at the head inputs of YOLOv10n (window 7, dim_head 8, SiLU) for 640 x 640
/// pixels. Arguments: channels, side of the map, threads.
static void forwardBlock(benchmark::State& state) {
    irmb::IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = static_cast<int>(state.range(0));
    params.act = irmb::Activation::Silu;
    const int side = static_cast<int>(state.range(1));
    cv::setNumThreads(static_cast<int>(state.range(2)));

    cv::RNG rng(1);
    const irmb::IrmbCpu block(params, irmb::test::randomWeights(params, rng));
    const cv::Mat x = irmb::test::randomMap({1, params.dim_in, side, side}, rng);
    cv::Mat y = x.clone();
    for (auto _ : state)
        block.forward(x, y);
    state.counters["FLOP/s"] =
        benchmark::Counter(static_cast<double>(irmb::flops(params, side, side)),
                           benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(forwardBlock)
    ->ArgNames({"channels", "side", "threads"})
    ->Args({64, 80, 1})
    ->Args({128, 40, 1})
    ->Args({256, 20, 1})
    ->Args({64, 80, 2})
    ->Args({128, 40, 2})
    ->Args({256, 20, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
