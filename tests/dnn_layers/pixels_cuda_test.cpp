// The CUDA kernel that makes planes of 8-bit pixels against the host's. irmb_cuda_test runs these
// on the host, irmb_cuda_gpu_test on a GPU.
#include "cuda/pixels.hpp"
#include "support/irmb_on_device.hpp"

#include <irmb_dnn/detection.hpp>

#include <limits>

namespace irmb::test {
namespace {

cv::Mat randomPicture(cv::Size size, cv::RNG& rng) {
    cv::Mat picture(size, CV_8UC3);
    rng.fill(picture, cv::RNG::UNIFORM, 0, 256);
    return picture;
}

template <typename T>
cv::Mat planesOf(const cv::Mat& bytes) {
    const int pixels = bytes.size[1] * bytes.size[2];
    const auto device_bytes = deviceMemory<unsigned char>(bytes.total());
    const auto device_planes = deviceMemory<T>(bytes.total());
    require(cudaMemcpy(device_bytes.get(), bytes.data, bytes.total(), cudaMemcpyHostToDevice));
    cuda::launchPixels<T>(nullptr, device_bytes.get(), device_planes.get(), bytes.size[0], pixels,
                          "pixels");
    std::vector<T> host(bytes.total());
    require(cudaMemcpy(host.data(), device_planes.get(), bytes.total() * sizeof(T),
                       cudaMemcpyDeviceToHost));
    cv::Mat planes({bytes.size[0], 3, bytes.size[1], bytes.size[2]}, CV_32F);
    std::transform(host.begin(), host.end(), planes.ptr<float>(), [](T x) { return valueOf(x); });
    return planes;
}

class PixelsCuda : public IrmbCuda {};

TEST_F(PixelsCuda, AgreesWithTheLetterboxOfTheHost) {
    cv::RNG rng(11);
    Model model;
    model.byte_input = true;
    int order = 0;
    for (const cv::Size input :
         {cv::Size(1, 1), cv::Size(17, 15), cv::Size(32, 32), cv::Size(64, 33)})
        for (const int images : {1, 3}) {
            chooseThreadOrder(order++);
            std::vector<cv::Mat> pictures;
            for (int i = 0; i < images; ++i)
                pictures.push_back(randomPicture({40 + 9 * i, 31}, rng));
            model.info.input_size = input;
            cv::Mat bytes;
            makeInput(model, pictures, bytes);
            cv::Mat expected;
            makeBlob(pictures, input, expected);
            EXPECT_EQ(maxDifference(planesOf<float>(bytes), expected), 0.0);
            std::for_each(expected.begin<float>(), expected.end<float>(), [](float& x) {
                __half rounded;
                assign(rounded, x);
                x = valueOf(rounded);
            });
            EXPECT_EQ(maxDifference(planesOf<__half>(bytes), expected), 0.0);
        }
}

TEST_F(PixelsCuda, RefusesWhatItCannotCount) {
    constexpr int most = std::numeric_limits<int>::max() / 3;
    const auto launch = [](int images, int pixels) {
        cuda::launchPixels<float>(nullptr, nullptr, nullptr, images, pixels, "pixels");
    };
    EXPECT_THROW(launch(0, 1), cuda::Error);
    EXPECT_THROW(launch(65536, 1), cuda::Error);
    EXPECT_THROW(launch(1, 0), cuda::Error);
    EXPECT_THROW(launch(1, most + 1), cuda::Error);
}

} // namespace
} // namespace irmb::test
