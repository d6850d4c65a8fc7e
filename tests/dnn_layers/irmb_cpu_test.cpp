#include "cpu/irmb_cpu.hpp"
#include "irmb_samples.hpp"
#include "reference/irmb_reference.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace irmb::test {
namespace {

cv::Mat run(const IrmbCpu& block, const IrmbParams& params, const cv::Mat& x) {
    const cv::Size size = outputSize(params, x.size[2], x.size[3]);
    const int shape[] = {x.size[0], params.dim_out, size.height, size.width};
    cv::Mat y(4, shape, CV_32F, cv::Scalar(-1e9));
    block.forward(x, y);
    return y;
}

bool fits(const IrmbParams& params, int height, int width) {
    try {
        outputSize(params, height, width);
        return true;
    } catch (const cv::Exception&) {
        return false;
    }
}

struct MapSize {
    int height;
    int width;
};

class IrmbCpuGrid : public testing::TestWithParam<MapSize> {};

TEST_P(IrmbCpuGrid, AgreesWithReference) {
    const auto [height, width] = GetParam();
    Random random(1000 * height + width);
    for (int i = 0; i < 60; ++i) {
        const IrmbParams params = randomParams(random);
        if (!fits(params, height, width))
            continue;
        const IrmbWeights weights = randomWeights(params, random);
        const cv::Mat x =
            randomTensor({1 + i % 3, params.dim_in, height, width}, 0.3f, 1.f, random);
        const cv::Mat expected = irmbReference(params, weights, x);
        const cv::Mat y = run(IrmbCpu(params, weights), params, x);
        ASSERT_LE(maxDifference(y, expected), tolerance(expected)) << describe(params);
    }
}

std::string nameOf(const testing::TestParamInfo<MapSize>& size) {
    return std::to_string(size.param.height) + "x" + std::to_string(size.param.width);
}

INSTANTIATE_TEST_SUITE_P(Sizes, IrmbCpuGrid,
                         testing::Values(MapSize{1, 1}, MapSize{5, 5}, MapSize{6, 5}, MapSize{7, 7},
                                         MapSize{1, 19}, MapSize{13, 17}, MapSize{20, 20},
                                         MapSize{3, 70}),
                         nameOf);

} // namespace
} // namespace irmb::test
