#include "cuda/launchers.hpp"
#include "cuda/tile.cuh"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <cmath>
#include <vector>

/// Whether the emulation tells right kernels from wrong ones.

namespace irmb::cuda::test {
namespace {

using emulation::Order;

constexpr Order orders[] = {Order::Forward, Order::Backward, Order::Shuffled};

class CudaEmulation : public testing::Test {
protected:
    ~CudaEmulation() override {
        emulation::setOrder(Order::Forward);
        emulation::device() = {};
    }
};

/// Every thread reads what its mirror image has written.
template <bool Barrier>
__global__ void mirror(float* out) {
    float* shared = reinterpret_cast<float*>(sharedMemory());
    shared[threadIdx.x] = static_cast<float>(threadIdx.x);
    if (Barrier)
        __syncthreads();
    out[threadIdx.x] = shared[63 - threadIdx.x];
}

template <bool Barrier>
int wrongValues() {
    std::vector<float> out(64, -1.f);
    EXPECT_EQ(launchKernel(mirror<Barrier>, 1, 64, 64 * sizeof(float), nullptr, out.data()),
              cudaSuccess);
    int wrong = 0;
    for (int i = 0; i < 64; ++i)
        wrong += out[i] == static_cast<float>(63 - i) ? 0 : 1;
    return wrong;
}

TEST_F(CudaEmulation, MissingBarrierShows) {
    for (const Order order : orders) {
        emulation::setOrder(order);
        EXPECT_EQ(wrongValues<true>(), 0);
        EXPECT_GT(wrongValues<false>(), 10);
    }
}

/// A buffer is filled again for each of two rounds, which takes a barrier after reading, too.
template <bool SecondBarrier>
__global__ void twoRounds(float* out) {
    float* shared = reinterpret_cast<float*>(sharedMemory());
    for (int round = 0; round < 2; ++round) {
        shared[threadIdx.x] = static_cast<float>(100 * round);
        __syncthreads();
        out[64 * round + threadIdx.x] = shared[63 - threadIdx.x];
        if (SecondBarrier)
            __syncthreads();
    }
}

template <bool SecondBarrier>
int wrongRounds() {
    std::vector<float> out(128, -1.f);
    launchKernel(twoRounds<SecondBarrier>, 1, 64, 64 * sizeof(float), nullptr, out.data());
    int wrong = 0;
    for (int i = 0; i < 128; ++i)
        wrong += out[i] == static_cast<float>(i / 64 * 100) ? 0 : 1;
    return wrong;
}

TEST_F(CudaEmulation, MissingBarrierBeforeABufferIsFilledAgainShows) {
    int wrong = 0;
    for (const Order order : orders) {
        emulation::setOrder(order);
        EXPECT_EQ(wrongRounds<true>(), 0);
        wrong += wrongRounds<false>();
    }
    EXPECT_GT(wrong, 0);
}

/// Sums of one value a warp, twice: a warp that has its first sum must not go on to write its
/// second value before the others have read the first.
template <bool SecondBarrier>
__global__ void sumTwice(float* out) {
    float* shared = reinterpret_cast<float*>(sharedMemory());
    const int lane = threadIdx.x % 32;
    for (int round = 0; round < 2; ++round) {
        if (lane == 0)
            shared[threadIdx.x / 32] = static_cast<float>(1 + 100 * round);
        __syncthreads();
        out[64 * round + threadIdx.x] = warpSum(lane < 2 ? shared[lane] : 0.f);
        if (SecondBarrier)
            __syncthreads();
    }
}

template <bool SecondBarrier>
int wrongSums() {
    std::vector<float> out(128, -1.f);
    launchKernel(sumTwice<SecondBarrier>, 1, 64, 2 * sizeof(float), nullptr, out.data());
    int wrong = 0;
    for (int i = 0; i < 128; ++i)
        wrong += out[i] == static_cast<float>(i < 64 ? 2 : 202) ? 0 : 1;
    return wrong;
}

TEST_F(CudaEmulation, WarpThatRunsAheadShows) {
    for (const Order order : orders) {
        emulation::setOrder(order);
        EXPECT_EQ(wrongSums<true>(), 0);
        EXPECT_GT(wrongSums<false>(), 10);
    }
}

__global__ void divergentBarrier() {
    if (threadIdx.x < 32)
        __syncthreads();
}

TEST_F(CudaEmulation, BarrierThatSomeThreadsSkipIsAnError) {
    EXPECT_THROW(launchKernel(divergentBarrier, 1, 64, 0, nullptr), std::logic_error);
}

__global__ void readUnwritten(float* out) {
    *out = *reinterpret_cast<float*>(sharedMemory());
}

TEST_F(CudaEmulation, MemoryStartsAsNan) {
    float out = 0.f;
    launchKernel(readUnwritten, 1, 1, sizeof(float), nullptr, &out);
    EXPECT_TRUE(std::isnan(out));
    void* memory = nullptr;
    ASSERT_EQ(cudaMalloc(&memory, sizeof(__half)), cudaSuccess);
    EXPECT_TRUE(std::isnan(__half2float(*static_cast<__half*>(memory))));
    cudaFree(memory);
}

__global__ void place(int* blocks) {
    ++blocks[blockIdx.x + 3 * (blockIdx.y + 2 * blockIdx.z)];
}

TEST_F(CudaEmulation, EveryBlockRunsOnce) {
    for (const Order order : orders) {
        emulation::setOrder(order);
        std::vector<int> blocks(3 * 2 * 4, 0);
        launchKernel(place, dim3(3, 2, 4), 1, 0, nullptr, blocks.data());
        EXPECT_EQ(blocks, std::vector<int>(24, 1));
    }
}

TEST_F(CudaEmulation, RefusesLaunchesThatAGpuRefuses) {
    emulation::device().shared_bytes = 64 * 1024;
    EXPECT_NE(launchKernel(divergentBarrier, dim3(1, 1, 65536), 32, 0, nullptr), cudaSuccess);
    EXPECT_NE(launchKernel(divergentBarrier, dim3(0), 32, 0, nullptr), cudaSuccess);
    EXPECT_NE(launchKernel(divergentBarrier, 1, 1025, 0, nullptr), cudaSuccess);
    EXPECT_NE(launchKernel(divergentBarrier, 1, 32, 65 * 1024, nullptr), cudaSuccess);
}

/// What a kernel is allowed holds for all threads that launch it, whatever they ask for.
TEST_F(CudaEmulation, LaunchLeavesRoomForLargerOnes) {
    std::vector<float> out(64);
    EXPECT_EQ(launchKernel(mirror<true>, 1, 64, 50 * 1024, nullptr, out.data()), cudaSuccess);
    EXPECT_EQ(allowedShared(reinterpret_cast<const void*>(mirror<true>)),
              emulation::device().shared_bytes);
}

__global__ void sums(float* out) {
    out[threadIdx.x] = warpSum(static_cast<float>(threadIdx.x));
}

TEST_F(CudaEmulation, ShufflesStayInTheirWarp) {
    std::vector<float> out(64);
    launchKernel(sums, 1, 64, 0, nullptr, out.data());
    EXPECT_EQ(out[0], 496.f);
    EXPECT_EQ(out[31], 496.f);
    EXPECT_EQ(out[32], 1520.f);
}

/// out[16][8] = a[16][D] b[8][D]^T, and once more with b as [D][8], and with a as [D][16] too.
template <typename T, int D>
__global__ void product(const T* a, const T* a_across, const T* b, const T* b_across, float* out) {
    const auto storeResult = [&](const Result& result, float* to) {
        for (int i = 0; i < 4; ++i)
            to[(laneRow() + i / 2 * 8) * 8 + laneColumn() + i % 2] = result.v[i];
    };
    Rows<T, D> rows;
    Columns<T, D> columns;
    Result result;
    loadRows(rows, a, D);
    loadColumns(columns, b, D);
    multiply(result, rows, columns);
    storeResult(result, out);
    Result across;
    loadColumnsAcross(columns, b_across, 8);
    multiply(across, rows, columns);
    storeResult(across, out + 16 * 8);
    Result both_across;
    loadRowsAcross(rows, a_across, 16);
    multiply(both_across, rows, columns);
    storeResult(both_across, out + 2 * 16 * 8);
}

void assign(float& to, float from) {
    to = from;
}
void assign(__half& to, float from) {
    to = __float2half_rn(from);
}

template <typename T>
T* aligned(std::vector<float4>& memory) {
    return reinterpret_cast<T*>(memory.data());
}

/// Small integers, so that every sum is exact.
template <typename T, int D>
void expectExactProduct() {
    cv::RNG rng(D);
    std::vector<float4> a(16 * D), a_across(16 * D), b(8 * D), b_across(8 * D);
    std::vector<float> out(3 * 16 * 8, -1.f);
    int a_values[16][D];
    int b_values[8][D];
    for (int k = 0; k < D; ++k) {
        for (int r = 0; r < 16; ++r) {
            a_values[r][k] = rng.uniform(-9, 10);
            assign(aligned<T>(a)[r * D + k], static_cast<float>(a_values[r][k]));
            assign(aligned<T>(a_across)[k * 16 + r], static_cast<float>(a_values[r][k]));
        }
        for (int n = 0; n < 8; ++n) {
            b_values[n][k] = rng.uniform(-9, 10);
            assign(aligned<T>(b)[n * D + k], static_cast<float>(b_values[n][k]));
            assign(aligned<T>(b_across)[k * 8 + n], static_cast<float>(b_values[n][k]));
        }
    }
    ASSERT_EQ(launchKernel(product<T, D>, 1, 32, 0, nullptr, aligned<T>(a), aligned<T>(a_across),
                           aligned<T>(b), aligned<T>(b_across), out.data()),
              cudaSuccess);
    for (int r = 0; r < 16; ++r)
        for (int n = 0; n < 8; ++n) {
            int sum = 0;
            for (int k = 0; k < D; ++k)
                sum += a_values[r][k] * b_values[n][k];
            for (int variant = 0; variant < 3; ++variant)
                EXPECT_EQ(out[(variant * 16 + r) * 8 + n], static_cast<float>(sum)) << variant;
        }
}

TEST_F(CudaEmulation, TilesMultiplyAsMatrices) {
    expectExactProduct<float, 8>();
    expectExactProduct<__half, 8>();
    expectExactProduct<__half, 16>();
}

TEST_F(CudaEmulation, HalfPrecisionIsThatOfOpenCv) {
    for (unsigned bits = 0; bits < 0x7c00; ++bits) {
        const __half half = {static_cast<std::uint16_t>(bits)};
        ASSERT_EQ(__float2half_rn(__half2float(half)).bits, bits);
        ASSERT_EQ(__half2float(half), -__half2float({static_cast<std::uint16_t>(bits | 0x8000u)}));
    }
    cv::RNG rng(1);
    cv::Mat values(1, 100000, CV_32F), halves, back;
    for (int i = 0; i < values.cols; ++i) // of all magnitudes, subnormal and infinite ones included
        values.at<float>(i) = std::ldexp(rng.uniform(-1.f, 1.f), rng.uniform(-28, 19));
    values.convertTo(halves, CV_16F);
    halves.convertTo(back, CV_32F);
    for (int i = 0; i < values.cols; ++i)
        ASSERT_EQ(__half2float(__float2half_rn(values.at<float>(i))), back.at<float>(i))
            << values.at<float>(i);
    EXPECT_TRUE(std::isnan(__half2float(__float2half_rn(std::nanf("")))));
}

} // namespace
} // namespace irmb::cuda::test
