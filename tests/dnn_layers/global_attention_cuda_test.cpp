// The CUDA kernel of global attention against the reference. irmb_cuda_test runs these on the host,
// irmb_cuda_gpu_test on a GPU.
#include "cuda/global_attention.hpp"
#include "reference/attention_reference.hpp"
#include "support/irmb_on_device.hpp"

#include <limits>

namespace irmb::test {
namespace {

using cuda::AttentionShape;

struct Results {
    cv::Mat y;
    cv::Mat values;
};

/// `misplaced` elements in front of the map take its alignment away.
template <typename T>
Results runAttention(const AttentionShape& shape, float scale, const cv::Mat& x, int misplaced = 0,
                     bool with_values = true) {
    const std::vector<int> result = {shape.images, shape.heads * shape.dim_value, 1, shape.pixels};
    Results results = {cv::Mat(result, CV_32F), cv::Mat(result, CV_32F)};
    const std::size_t count = results.y.total();
    std::vector<T> host(std::max(x.total(), count));
    for (std::size_t i = 0; i < x.total(); ++i)
        assign(host[i], x.ptr<float>()[i]);
    const auto device_x = deviceMemory<T>(x.total() + misplaced);
    const auto device_y = deviceMemory<T>(count);
    const auto device_values = deviceMemory<T>(count);
    require(cudaMemcpy(device_x.get() + misplaced, host.data(), x.total() * sizeof(T),
                       cudaMemcpyHostToDevice));
    cuda::launchGlobalAttention<T>(nullptr, device_x.get() + misplaced, device_y.get(),
                                   with_values ? device_values.get() : nullptr, shape, scale,
                                   "psa");
    const auto fetch = [&](const T* from, cv::Mat& to) {
        require(cudaMemcpy(host.data(), from, count * sizeof(T), cudaMemcpyDeviceToHost));
        for (std::size_t i = 0; i < count; ++i)
            to.ptr<float>()[i] = valueOf(host[i]);
    };
    fetch(device_y.get(), results.y);
    fetch(device_values.get(), results.values);
    return results;
}

/// Logits of a few units: the softmax is neither flat nor a single key.
constexpr float input_range = 2.f;
float usualScale(const AttentionShape& shape) {
    return 1.f / std::sqrt(static_cast<float>(shape.dim_key));
}

cv::Mat inputFor(const AttentionShape& shape, cv::RNG& rng) {
    const int channels = shape.heads * (2 * shape.dim_key + shape.dim_value);
    return randomMap({shape.images, channels, 1, shape.pixels}, rng) * input_range;
}

template <typename T>
void expectAttention(const AttentionShape& shape, const cv::Mat& x, float scale, double tolerance,
                     int misplaced = 0) {
    SCOPED_TRACE(std::to_string(shape.images) + " images, " + std::to_string(shape.heads) +
                 " heads of " + std::to_string(shape.dim_key) + " and " +
                 std::to_string(shape.dim_value) + ", " + std::to_string(shape.pixels) +
                 " pixels, " + std::to_string(sizeof(T)) + " bytes");
    const cv::Mat expected =
        attentionReference(x, shape.heads, shape.dim_key, shape.dim_value, scale);
    const cv::Mat values = attentionValues(x, shape.heads, shape.dim_key, shape.dim_value);
    const Results results = runAttention<T>(shape, scale, x, misplaced);
    EXPECT_LE(relativeError(results.y, expected), tolerance);
    EXPECT_LE(relativeError(results.values, values), sizeof(T) == 2 ? 1e-3 : 0.0);
}

void expectAttention(const AttentionShape& shape, int misplaced = 0) {
    cv::RNG rng(shape.pixels + shape.dim_key);
    const cv::Mat x = inputFor(shape, rng);
    expectAttention<float>(shape, x, usualScale(shape), float_tolerance, misplaced);
    expectAttention<__half>(shape, x, usualScale(shape), half_tolerance, misplaced);
}

class AttentionCuda : public IrmbCuda {};
class AttentionCudaGrid : public AttentionCuda, public testing::WithParamInterface<int> {};

TEST_P(AttentionCudaGrid, AgreesWithReference) {
    const int pixels = GetParam();
    const AttentionShape shapes[] = {{1, 1, 1, 1, pixels},   {2, 3, 5, 7, pixels},
                                     {1, 2, 8, 16, pixels},  {1, 1, 17, 33, pixels},
                                     {2, 1, 32, 64, pixels}, {1, 1, 48, 100, pixels}};
    int order = pixels;
    for (const AttentionShape& shape : shapes) {
        chooseThreadOrder(order++);
        expectAttention(shape);
    }
}

INSTANTIATE_TEST_SUITE_P(Pixels, AttentionCudaGrid,
                         testing::Values(1, 2, 15, 16, 17, 31, 32, 33, 40, 64, 127, 130, 264),
                         testing::PrintToStringParamName());

TEST_F(AttentionCuda, Yolov10AtItsUsualSize) {
    expectAttention({1, 2, 32, 64, 400});
}

TEST_F(AttentionCuda, SidesThatNoTileDivides) {
    expectAttention({1, 2, 32, 64, 19 * 13});
}

TEST_F(AttentionCuda, WidestKeys) {
    expectAttention({1, 1, cuda::most_attention_key, 40, 50});
    expectAttention({1, 1, cuda::most_attention_key - 7, 8, 50});
}

TEST_F(AttentionCuda, MapsThatAreNotAligned) {
    expectAttention({1, 2, 8, 16, 48}, 1);
    expectAttention({1, 2, 8, 16, 48}, 3);
}

TEST_F(AttentionCuda, LargeLogitsDoNotOverflow) {
    const AttentionShape shape = {1, 1, 16, 16, 70};
    cv::RNG rng(2);
    const cv::Mat x = inputFor(shape, rng) * 20;
    expectAttention<float>(shape, x, 1, 10 * float_tolerance);
    const cv::Mat y = runAttention<__half>(shape, 1, x).y;
    EXPECT_TRUE(cv::checkRange(y));
}

/// All keys of all warps but one are far below the last one, on which the softmax settles.
TEST_F(AttentionCuda, LastKeyAloneCounts) {
    const AttentionShape shape = {1, 1, 8, 8, 263};
    cv::RNG rng(3);
    cv::Mat x = inputFor(shape, rng);
    for (int c = 0; c < 16; ++c) {
        float* row = x.ptr<float>(0, c);
        std::fill(row, row + shape.pixels, c < 8 ? 1.f : -1.f);
        if (c >= 8)
            row[shape.pixels - 1] = 1.f;
    }
    expectAttention<float>(shape, x, 4, float_tolerance);
    expectAttention<__half>(shape, x, 4, half_tolerance);
}

TEST_F(AttentionCuda, WritesNoValuesUnasked) {
    const AttentionShape shape = {1, 1, 8, 8, 20};
    cv::RNG rng(4);
    const Results results = runAttention<float>(shape, 1, inputFor(shape, rng), 0, false);
    EXPECT_TRUE(cv::checkRange(results.y));
    for (std::size_t i = 0; i < results.values.total(); ++i)
        EXPECT_TRUE(std::isnan(results.values.ptr<float>()[i]));
}

TEST_F(AttentionCuda, RefusesWhatItCannotIndex) {
    constexpr int most = std::numeric_limits<int>::max();
    EXPECT_TRUE(cuda::attentionFits({1, 2, 32, 64, 400}));
    for (const AttentionShape& shape :
         {AttentionShape{0, 2, 32, 64, 400}, AttentionShape{1, 0, 32, 64, 400},
          AttentionShape{1, 2, 0, 64, 400}, AttentionShape{1, 2, 32, 0, 400},
          AttentionShape{1, 2, 32, 64, 0}, AttentionShape{65536, 2, 32, 64, 400},
          AttentionShape{1, 2, cuda::most_attention_key + 1, 64, 400},
          AttentionShape{1, most, 32, 64, 1}, AttentionShape{1, 2, 32, most, 1},
          AttentionShape{1, 2, 32, 64, most / 100}}) {
        EXPECT_FALSE(cuda::attentionFits(shape));
        EXPECT_THROW(
            cuda::launchGlobalAttention<float>(nullptr, nullptr, nullptr, nullptr, shape, 1, "psa"),
            cuda::Error);
    }
}

} // namespace
} // namespace irmb::test
