// OpenCV's own CUDA dispatch with iRMB layers in it, on libraries that stand in for CUDA's, which
// run the PTX of our kernels.
#include "cuda/arguments.hpp"
#include "cuda_stand_in/stand_in.hpp"
#include "host_only.hpp"
#include "layer/candidate_layer.hpp"
#include "layer/node_attributes.hpp"
#include "ptx/on_stand_in.hpp"
#include "reference/attention_reference.hpp"
#include "reference/irmb_reference.hpp"
#include "support/random_irmb.hpp"

#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>

#include <gtest/gtest.h>
#include <opencv2/dnn.hpp>

#include <cuda_fp16.h>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace irmb::test {
namespace {

struct Block {
    IrmbParams params;
    IrmbWeights weights;
};

/// A block whose input and output have 8 channels.
Block makeBlock(cv::RNG& rng) {
    IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = 8;
    params.act = Activation::Silu;
    return {params, randomWeights(params, rng)};
}

cv::dnn::LayerParams layerParams(const Block& block) {
    const NodeAttributes attributes = toAttributes(block.params);
    cv::dnn::LayerParams params;
    for (const auto& [name, value] : attributes.ints)
        params.set(name, value);
    for (const auto& [name, value] : attributes.floats)
        params.set(name, value);
    for (const auto& [name, value] : attributes.strings)
        params.set(name, value);
    for (const WeightSlot& slot : weightSlots(block.params))
        params.blobs.push_back(block.weights.*slot.member);
    return params;
}

/// A network of layers in a row and what it should compute.
class Chain {
public:
    explicit Chain(int target) : half_(target == cv::dnn::DNN_TARGET_CUDA_FP16) {
        net.setInputsNames({"x"});
        net.setPreferableBackend(cv::dnn::DNN_BACKEND_CUDA);
        net.setPreferableTarget(target);
    }

    Chain& irmb(const Block& block) {
        cv::dnn::LayerParams params = layerParams(block);
        net.addLayerToPrev("irmb" + std::to_string(blocks_.size()), "irmb.iRMB", params);
        blocks_.push_back(block);
        return *this;
    }

    Chain& hostOnly() {
        cv::dnn::LayerParams params;
        net.addLayerToPrev("host" + std::to_string(blocks_.size()), "HostOnly", params);
        blocks_.push_back({});
        return *this;
    }

    cv::Mat forward(const cv::Mat& x) {
        net.setInput(x);
        return net.forward().clone();
    }

    void expectRight(const cv::Mat& x) {
        cv::Mat y = x;
        for (const Block& block : blocks_)
            y = block.params.dim_in == 0 ? cv::Mat(2 * y)
                                         : irmbReference(block.params, block.weights, y);
        const double peak = cv::norm(y, cv::NORM_INF);
        EXPECT_LE(maxDifference(forward(x), y), (half_ ? 1e-2 : 1e-4) * std::max(1.0, peak));
    }

    cv::dnn::Net net;

private:
    bool half_;
    std::vector<Block> blocks_;
};

/// What OpenCV handed to the attention of a block.
struct Launch {
    cudaStream_t stream;
    const void* x;
    const void* scratch; ///< holds the attention's result
};

std::mutex seen_mutex;
std::vector<Launch> seen;

/// Those since the last call, in all threads.
std::vector<Launch> takeLaunches() {
    const std::lock_guard lock(seen_mutex);
    return std::exchange(seen, {});
}

template <typename T>
void note(const stand_in::Launch& launch) {
    const auto& args = *static_cast<const cuda::AttentionArgs<T>*>(launch.arguments[0]);
    const std::lock_guard lock(seen_mutex);
    seen.push_back({launch.stream, args.in, args.out});
}

bool noteAndRun(const stand_in::Launch& launch) {
    if (launch.kernel.find("windowAttention") != std::string::npos) {
        const bool half = launch.kernel.find("__half") != std::string::npos;
        half ? note<__half>(launch) : note<float>(launch);
    }
    return runAsPtx(launch);
}

class CudaDispatch : public testing::TestWithParam<int> {
protected:
    static void SetUpTestSuite() {
        registerLayers();
        HostOnly::registerOnce();
    }
    void SetUp() override {
        stand_in::runKernels(noteAndRun);
        takeLaunches();
    }

    cv::RNG rng{21};
};

INSTANTIATE_TEST_SUITE_P(, CudaDispatch,
                         testing::Values(cv::dnn::DNN_TARGET_CUDA, cv::dnn::DNN_TARGET_CUDA_FP16),
                         [](const auto& test) {
                             return test.param == cv::dnn::DNN_TARGET_CUDA ? "Float" : "Half";
                         });

TEST_P(CudaDispatch, RunsOurNode) {
    ASSERT_TRUE(hasCudaLayer());
    Chain chain(GetParam());
    chain.irmb(makeBlock(rng));
    chain.expectRight(randomMap({1, 8, 10, 9}, rng));
    EXPECT_EQ(takeLaunches().size(), 1u);
}

TEST_P(CudaDispatch, ComputesBlocksWithAllParameters) {
    for (int i = 0; i < 40; ++i) {
        const IrmbParams params = anyParams(rng);
        SCOPED_TRACE(describe(params));
        Chain chain(GetParam());
        chain.irmb({params, randomWeights(params, rng)});
        chain.expectRight(randomMap({1 + i % 2, params.dim_in, 13, 17}, rng));
    }
}

TEST_P(CudaDispatch, KeepsMapsOnTheDeviceBetweenBlocks) {
    Chain chain(GetParam());
    chain.irmb(makeBlock(rng)).irmb(makeBlock(rng)).irmb(makeBlock(rng));
    const cv::Mat x = randomMap({1, 8, 14, 14}, rng);
    chain.forward(x);
    stand_in::clearLog();
    chain.expectRight(x);
    const stand_in::Log log = stand_in::log();
    EXPECT_EQ(log.copiesOf(cudaMemcpyHostToDevice), 1) << "the input alone";
    EXPECT_EQ(log.copiesOf(cudaMemcpyDeviceToHost), 1) << "the output alone";
    EXPECT_EQ(log.allocations.size(), 0u);
}

TEST_P(CudaDispatch, HandsOutScratchOfTheSharedWorkspace) {
    Chain chain(GetParam());
    chain.irmb(makeBlock(rng)).irmb(makeBlock(rng));
    chain.forward(randomMap({1, 8, 14, 14}, rng));
    const std::vector<Launch> launches = takeLaunches();
    ASSERT_EQ(launches.size(), 2u);
    EXPECT_EQ(launches[0].scratch, launches[1].scratch);
    for (const Launch& launch : launches)
        EXPECT_NE(launch.scratch, launch.x);
}

TEST_P(CudaDispatch, UploadsWeightsOnce) {
    Chain chain(GetParam());
    const Block block = makeBlock(rng);
    chain.irmb(block);
    const auto uploadsOf = [&](cv::Size size) {
        stand_in::clearLog();
        chain.expectRight(randomMap({1, 8, size.height, size.width}, rng));
        return stand_in::log().copiesOf(cudaMemcpyHostToDevice) - 1;
    };
    EXPECT_GT(uploadsOf({14, 14}), 0);
    EXPECT_EQ(uploadsOf({14, 14}), 0);
    EXPECT_EQ(uploadsOf({9, 20}), 0);
    EXPECT_EQ(uploadsOf({30, 31}), 0);
}

TEST_P(CudaDispatch, WorksBesideLayersOfTheCpu) {
    Chain chain(GetParam());
    chain.hostOnly().irmb(makeBlock(rng)).hostOnly().irmb(makeBlock(rng)).hostOnly();
    const cv::Mat x = randomMap({1, 8, 10, 10}, rng);
    chain.expectRight(x);
    stand_in::clearLog();
    chain.expectRight(x);
    const stand_in::Log log = stand_in::log();
    EXPECT_EQ(log.copiesOf(cudaMemcpyHostToDevice), 2);
    EXPECT_EQ(log.copiesOf(cudaMemcpyDeviceToHost), 2);
}

TEST_P(CudaDispatch, FollowsItsBatch) {
    Chain chain(GetParam());
    chain.irmb(makeBlock(rng)).irmb(makeBlock(rng));
    for (const int batch : {1, 3, 2})
        chain.expectRight(randomMap({batch, 8, 8, 8}, rng));
}

TEST_P(CudaDispatch, RunsTwoNetsInTwoThreads) {
    Chain chains[] = {Chain(GetParam()), Chain(GetParam())};
    for (Chain& chain : chains)
        chain.irmb(makeBlock(rng)).irmb(makeBlock(rng));
    const cv::Mat x = randomMap({1, 8, 12, 12}, rng);
    std::thread threads[2];
    for (int i = 0; i < 2; ++i)
        threads[i] = std::thread([&, i] {
            for (int pass = 0; pass < 5; ++pass)
                chains[i].expectRight(x);
        });
    for (std::thread& thread : threads)
        thread.join();
    std::set<cudaStream_t> streams;
    std::set<const void*> workspaces;
    for (const Launch& launch : takeLaunches()) {
        streams.insert(launch.stream);
        workspaces.insert(launch.scratch);
    }
    EXPECT_EQ(streams.size(), 2u);
    EXPECT_EQ(workspaces.size(), 2u);
}

TEST_P(CudaDispatch, RunsAttentionWithAndWithoutItsValues) {
    const int heads = 2;
    const int dim_key = 3;
    const int dim_value = 5;
    const float scale = 0.7f;
    const cv::Mat x = randomMap({2, heads * (2 * dim_key + dim_value), 6, 7}, rng);
    for (const int with_values : {0, 1}) {
        cv::dnn::LayerParams params;
        params.set("heads", heads);
        params.set("dim_key", dim_key);
        params.set("dim_value", dim_value);
        params.set("scale", scale);
        params.set("with_values", with_values);
        Chain chain(GetParam());
        chain.net.addLayerToPrev("attention", "irmb.GlobalAttention", params);
        std::vector<cv::Mat> results;
        for (int pass = 0; pass < 2; ++pass) {
            stand_in::clearLog();
            chain.net.setInput(x);
            chain.net.forward(results, "attention");
        }
        const stand_in::Log log = stand_in::log();
        EXPECT_EQ(log.copiesOf(cudaMemcpyHostToDevice), 1);
        EXPECT_EQ(log.copiesOf(cudaMemcpyDeviceToHost), 1 + with_values);
        EXPECT_EQ(log.allocations.size(), 0u);
        ASSERT_EQ(results.size(), 1u + with_values);
        EXPECT_LE(
            maxDifference(results[0], attentionReference(x, heads, dim_key, dim_value, scale)),
            1e-2);
        if (with_values != 0) {
            EXPECT_LE(maxDifference(results[1], attentionValues(x, heads, dim_key, dim_value)),
                      1e-3);
        }
    }
}

/// A head of 60 anchors on the device, of which 9 rows come back. Boxes are in float also where the
/// tensors are half: they are compared with those of the rounded distances.
TEST_P(CudaDispatch, BringsBackCandidatesAlone) {
    constexpr int anchors = 60;
    constexpr int classes = 5;
    constexpr int keep = 9;
    cv::Mat offsets(4, anchors, CV_32F);
    cv::Mat factors(4, anchors, CV_32F);
    rng.fill(offsets, cv::RNG::UNIFORM, 0, 1000);
    rng.fill(factors, cv::RNG::UNIFORM, 8, 32);
    cv::dnn::LayerParams params;
    params.set("keep", keep);
    params.blobs = {offsets, factors};
    const bool half = GetParam() == cv::dnn::DNN_TARGET_CUDA_FP16;
    for (const int batch : {1, 3}) {
        Chain chain(GetParam());
        chain.net.setInputsNames({"distances", "scores"});
        const int layer = chain.net.addLayer("candidates", "irmb.Candidates", params);
        chain.net.connect(0, 0, layer, 0);
        chain.net.connect(0, 1, layer, 1);
        cv::Mat distances = randomMap({batch, 4, anchors}, rng);
        cv::Mat scores = randomMap({batch, classes, anchors}, rng);
        for (cv::Mat* tensor : {&distances, &scores})
            if (half) {
                cv::Mat rounded;
                tensor->convertTo(rounded, CV_16F);
                rounded.convertTo(*tensor, CV_32F);
            }
        cv::Mat output;
        for (int pass = 0; pass < 2; ++pass) {
            stand_in::clearLog();
            chain.net.setInput(distances, "distances");
            chain.net.setInput(scores, "scores");
            output = chain.net.forward();
        }
        const stand_in::Log log = stand_in::log();
        EXPECT_EQ(log.copiesOf(cudaMemcpyHostToDevice), 2);
        ASSERT_EQ(log.copiesOf(cudaMemcpyDeviceToHost), 1);
        EXPECT_EQ(log.copies.back().bytes, std::size_t{2} * 6 * batch * keep * sizeof(float));
        EXPECT_EQ(log.allocations.size(), 0u);
        const cv::Mat rows = addedParts(output);
        for (int image = 0; image < batch; ++image) {
            cv::Mat head;
            const auto rowsOf = [&](const cv::Mat& tensor) {
                return cv::Mat(tensor.size[1], anchors, CV_32F,
                               const_cast<float*>(tensor.ptr<float>(image)));
            };
            const cv::Mat boxes = offsets + factors.mul(rowsOf(distances));
            cv::vconcat(boxes, rowsOf(scores), head);
            const cv::Mat expected =
                endToEnd(head.reshape(1, {1, 4 + classes, anchors}), keep).reshape(1, keep);
            const cv::Mat found(keep, 6, CV_32F, const_cast<float*>(rows.ptr<float>(image)));
            EXPECT_LE(cv::norm(found, expected, cv::NORM_INF), 1e-3);
        }
    }
}

#if CV_VERSION_MAJOR >= 5

TEST_P(CudaDispatch, TakesBytesForPixels) {
    const std::vector<int> shape = {2, 11, 13, 3};
    cv::Mat bytes(shape, CV_8U);
    Chain chain(GetParam());
    cv::dnn::LayerParams params;
    chain.net.addLayerToPrev("pixels", "irmb.Pixels", params);
    for (int pass = 0; pass < 2; ++pass) {
        rng.fill(bytes, cv::RNG::UNIFORM, 0, 256);
        stand_in::clearLog();
        const cv::Mat planes = chain.forward(bytes);
        const stand_in::Log log = stand_in::log();
        EXPECT_EQ(planes.type(), CV_32F);
        ASSERT_EQ(std::vector<int>(planes.size.p, planes.size.p + 4),
                  (std::vector<int>{2, 3, 11, 13}));
        for (int i = 0; i < 2; ++i)
            for (int pixel = 0; pixel < 11 * 13; ++pixel)
                for (int channel = 0; channel < 3; ++channel)
                    EXPECT_NEAR(planes.ptr<float>(i, channel)[pixel],
                                bytes.ptr(i)[3 * pixel + 2 - channel] / 255.0, 3e-4);
        ASSERT_EQ(log.copiesOf(cudaMemcpyHostToDevice), 1);
        EXPECT_EQ(log.copies[0].bytes, bytes.total());
        EXPECT_EQ(log.copiesOf(cudaMemcpyDeviceToHost), 1);
    }
}

#endif

} // namespace
} // namespace irmb::test
