// What only the emulation of a GPU can show: orders of threads, GPUs of other sizes, failures.
#include "cuda/global_attention.hpp"
#include "support/irmb_on_device.hpp"

namespace irmb::test {

using emulation::Order;

bool hasDevice() {
    return true;
}
void chooseThreadOrder(int i) {
    emulation::setOrder(static_cast<Order>(i % 3));
}
void chooseProcessors(int count) {
    emulation::device().processors = count;
}
void resetDevice() {
    emulation::device() = {};
    emulation::setOrder(Order::Forward);
}

namespace {

TEST_F(IrmbCuda, LittleSharedMemoryTakesTheGeneralKernel) {
    const IrmbParams params = defaultParams(64);
    emulation::device().shared_bytes = 8 * 1024;
    EXPECT_EQ(kernelsOf(params, {1, 10, 9}), (Names{"projection", "tiledAttention", "projection"}));
    emulation::device().shared_bytes = 48 * 1024;
    EXPECT_EQ(kernelsOf(params, {1, 10, 9}), (Names{"windowAttention", "projection"}));
}

TEST_F(IrmbCuda, OrderOfThreadsDoesNotChangeTheResult) {
    cv::RNG rng(5);
    for (int i = 0; i < 10; ++i) {
        const IrmbParams params = anyParams(rng);
        if (!fits(params, 9, 12))
            continue;
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({2, params.dim_in, 9, 12}, rng);
        emulation::setOrder(Order::Forward);
        const cv::Mat y = run<__half>(params, weights, x);
        for (const Order order : {Order::Backward, Order::Shuffled}) {
            emulation::setOrder(order);
            EXPECT_EQ(maxDifference(run<__half>(params, weights, x), y), 0.0) << describe(params);
        }
    }
}

TEST_F(IrmbCuda, FailedLaunchNamesLayerAndKernel) {
    const IrmbParams params = defaultParams(16);
    cv::RNG rng(1);
    const IrmbWeights weights = randomWeights(params, rng);
    const cv::Mat x = randomMap({1, 16, 7, 7}, rng);
    emulation::device().failing_launch = 1;
    try {
        run<float>(params, weights, x);
        FAIL() << "no error";
    } catch (const cuda::Error& error) {
        EXPECT_STREQ(error.what(),
                     "iRMB 'block': CUDA kernel projection (depthwise, residuals and projection) "
                     "failed: invalid configuration argument");
    }
}

/// The result for a fixed input, as bits.
std::vector<std::uint16_t> attentionBits(Order order) {
    emulation::setOrder(order);
    const cuda::AttentionShape shape = {1, 2, 24, 40, 150};
    cv::RNG rng(6);
    const std::size_t inputs = std::size_t{2} * (2 * 24 + 40) * 150;
    const std::size_t results = std::size_t{2} * 40 * 150;
    const auto x = deviceMemory<__half>(inputs);
    const auto y = deviceMemory<__half>(results);
    for (std::size_t i = 0; i < inputs; ++i)
        x.get()[i] = __float2half_rn(rng.uniform(-1.f, 1.f));
    cuda::launchGlobalAttention<__half>(nullptr, x.get(), y.get(), nullptr, shape, 0.5f, "psa");
    std::vector<std::uint16_t> bits;
    for (std::size_t i = 0; i < results; ++i)
        bits.push_back(y.get()[i].bits);
    return bits;
}

TEST_F(IrmbCuda, OrderOfThreadsDoesNotChangeTheAttention) {
    const auto expected = attentionBits(Order::Forward);
    EXPECT_EQ(attentionBits(Order::Backward), expected);
    EXPECT_EQ(attentionBits(Order::Shuffled), expected);
}

TEST_F(IrmbCuda, FailedAttentionNamesItsLayer) {
    emulation::device().failing_launch = 0;
    try {
        attentionBits(Order::Forward);
        FAIL() << "no error";
    } catch (const cuda::Error& error) {
        EXPECT_STREQ(error.what(), "GlobalAttention 'psa': CUDA kernel globalAttention failed: "
                                   "invalid configuration argument");
    }
}

} // namespace
} // namespace irmb::test
