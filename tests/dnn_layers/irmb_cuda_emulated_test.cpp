// What only the emulation of a GPU can show: orders of threads, GPUs of other sizes, failures.
#include "support/irmb_on_device.hpp"

namespace irmb::test {

using emulation::Order;

bool hasDevice() {
    return true;
}
void chooseThreadOrder(int i) {
    emulation::setOrder(static_cast<Order>(i % 3));
}
void resetDevice() {
    emulation::device() = {};
    emulation::setOrder(Order::Forward);
}

namespace {

TEST_F(IrmbCuda, HeadSizesOfYolov10nOnALargeGpu) {
    emulation::device().processors = 132;
    expectAgreement(defaultParams(64), {1, 64, 80, 80});
    expectAgreement(defaultParams(128), {1, 128, 40, 40});
    expectAgreement(defaultParams(256), {1, 256, 20, 20});
}

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

} // namespace
} // namespace irmb::test
