#include "cuda/launchers.hpp"
#include "cuda/numeric.cuh"
#include "cuda/pixels.hpp"
#include "cuda/require.hpp"

#include <limits>

namespace irmb::cuda {
namespace {

constexpr int threads = 256;

/// A thread takes one pixel (x) of one image (y).
template <typename T>
__global__ void __launch_bounds__(threads)
    pixelsToPlanes(const unsigned char* bgr, T* planes, int pixels) {
    const int pixel = blockIdx.x * threads + threadIdx.x;
    if (pixel >= pixels)
        return;
    const long long image = static_cast<long long>(blockIdx.y) * 3 * pixels;
    const unsigned char* from = bgr + image + 3 * pixel;
    T* to = planes + image + pixel;
    store(to, static_cast<float>(from[2]) / 255.f);
    store(to + pixels, static_cast<float>(from[1]) / 255.f);
    store(to + 2 * pixels, static_cast<float>(from[0]) / 255.f);
}

} // namespace

template <typename T>
void launchPixels(cudaStream_t stream, const unsigned char* bgr, T* planes, int images, int pixels,
                  const std::string& layer) {
    const std::string name = "Pixels '" + layer + "'";
    if (images < 1 || images > 65535 || pixels < 1 || pixels > std::numeric_limits<int>::max() / 3)
        throw Error(name + ": a batch of " + std::to_string(images) + " images of " +
                    std::to_string(pixels) + " pixels is empty or too large for the CUDA kernel");
    const cudaError_t error =
        launchKernel(pixelsToPlanes<T>, dim3(divideUp(pixels, threads), images), threads, 0, stream,
                     bgr, planes, pixels);
    require(error, name, {"CUDA kernel pixelsToPlanes"});
}

template void launchPixels(cudaStream_t, const unsigned char*, float*, int, int,
                           const std::string&);
template void launchPixels(cudaStream_t, const unsigned char*, __half*, int, int,
                           const std::string&);

} // namespace irmb::cuda
