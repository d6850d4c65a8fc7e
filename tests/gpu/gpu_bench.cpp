// Checks and times iRMBs and whole models on OpenCV's CUDA backend, with a GPU: what
// tools/gpu_check.py runs. Prints one JSON object. Arguments: ONNX files of detectors, and X.npy, a
// letterboxed picture [1, 3, H, W] of their size to compare on (else noise); or --small to check a
// few blocks and time nothing, for compute-sanitizer.
#include "cuda/host_weights.hpp"
#include "cuda/irmb_kernels.hpp"
#include "onnx/file/io.hpp"
#include "onnx/irmb/custom_node.hpp"
#include "reference/irmb_reference.hpp"
#include "support/npy.hpp"
#include "support/random_irmb.hpp"
#include "support/scratch_folder.hpp"

#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>

#include <nlohmann/json.hpp>
#include <opencv2/core/cuda.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>

namespace irmb::test {
namespace {

using Json = nlohmann::ordered_json;

constexpr int warmup = 20;
constexpr int passes = 200;
constexpr int chain_length = 9;
constexpr int accuracy_cases = 60;
constexpr int small_accuracy_cases = 4;

struct Precision {
    const char* name;
    int target;
    double limit;       ///< of the relative error of a block
    double box_px;      ///< limit of a whole model's error in boxes, pixels of the input
    double score_error; ///< limit of a whole model's error in scores
};
constexpr Precision precisions[] = {{"fp32", cv::dnn::DNN_TARGET_CUDA, 1e-4, 0.05, 1e-4},
                                    {"fp16", cv::dnn::DNN_TARGET_CUDA_FP16, 1e-2, 0.5, 1e-2}};
/// Candidates below are not compared.
constexpr float least_score = 0.25F;

struct Block {
    IrmbParams params;
    IrmbWeights weights;
};

void require(cudaError_t error) {
    if (error != cudaSuccess)
        CV_Error(cv::Error::GpuApiCallError, cudaGetErrorString(error));
}

double medianMs(const std::function<void()>& work) {
    using Clock = std::chrono::steady_clock;
    for (int i = 0; i < warmup; ++i)
        work();
    std::vector<double> times_ms;
    for (int i = 0; i < passes; ++i) {
        const auto start = Clock::now();
        work();
        times_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    std::nth_element(times_ms.begin(), times_ms.begin() + passes / 2, times_ms.end());
    return times_ms[passes / 2];
}

/// A network of `count` times the same block in a row.
cv::dnn::Net chainOf(const Block& block, int count, const std::vector<int>& shape, Fusion fusion,
                     int target) {
    onnx::OnnxModel model;
    model.opsets[""] = 13;
    model.graph.inputs.push_back(
        {"x0", onnx::DataType::Float, true, onnx::Shape(shape.begin(), shape.end())});
    onnx::Facts facts;
    for (int i = 0; i < count; ++i)
        model.graph.nodes.push_back(onnx::makeIrmb(model, facts, "x" + std::to_string(i),
                                                   "x" + std::to_string(i + 1), block.params,
                                                   block.weights));
    model.graph.outputs.push_back({"x" + std::to_string(count), onnx::DataType::Float, false, {}});

    const vigil::test::ScratchFolder folder;
    onnx::save(model, folder.path("chain.onnx"));
    ReadOptions options;
    options.engine = Engine::Classic;
    options.fusion = fusion;
    options.for_cuda = true;
    cv::dnn::Net net = readModel(folder.path("chain.onnx"), options).net;
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_CUDA);
    net.setPreferableTarget(target);
    return net;
}

double forwardMs(cv::dnn::Net& net, const cv::Mat& input) {
    return medianMs([&] {
        net.setInput(input);
        net.forward();
    });
}

/// Time of one block inside a network, without what a network costs by itself.
double blockUs(const Block& block, const cv::Mat& x, Fusion fusion, int target) {
    const std::vector<int> shape(x.size.p, x.size.p + 4);
    cv::dnn::Net one = chainOf(block, 1, shape, fusion, target);
    cv::dnn::Net many = chainOf(block, chain_length, shape, fusion, target);
    return 1000 * (forwardMs(many, x) - forwardMs(one, x)) / (chain_length - 1);
}

/// Time of the kernels alone, by the clock of the device.
template <typename T>
double kernelsUs(const Block& block, const cv::Mat& x) {
    const cuda::IrmbKernels<T> kernels(block.params, cuda::hostWeights(block.weights), "bench");
    const cuda::MapShape shape = {x.size[0], x.size[2], x.size[3]};
    void* input = nullptr;
    void* output = nullptr;
    void* scratch = nullptr;
    require(cudaMalloc(&input, x.total() * sizeof(T)));
    require(cudaMalloc(&output, x.total() * sizeof(T)));
    require(cudaMalloc(&scratch, std::max<std::size_t>(1, kernels.scratchBytes(shape))));
    require(cudaMemset(input, 0, x.total() * sizeof(T)));
    cudaStream_t stream = nullptr;
    cudaEvent_t start = nullptr;
    cudaEvent_t end = nullptr;
    require(cudaStreamCreate(&stream));
    require(cudaEventCreate(&start));
    require(cudaEventCreate(&end));
    const auto launch = [&] {
        kernels.launch(stream, static_cast<const T*>(input), static_cast<T*>(output), scratch,
                       shape);
    };
    for (int i = 0; i < warmup; ++i)
        launch();
    require(cudaEventRecord(start, stream));
    for (int i = 0; i < passes; ++i)
        launch();
    require(cudaEventRecord(end, stream));
    require(cudaEventSynchronize(end));
    float time_ms = 0;
    require(cudaEventElapsedTime(&time_ms, start, end));
    cudaEventDestroy(end);
    cudaEventDestroy(start);
    cudaStreamDestroy(stream);
    for (void* memory : {scratch, output, input})
        cudaFree(memory);
    return 1000.0 * time_ms / passes;
}

/// The blocks at the head inputs of YOLOv10n for 640 x 640 pixels.
Json benchBlocks() {
    Json results = Json::array();
    cv::RNG rng(1);
    for (const auto& [channels, side] :
         {std::pair(64, 80), std::pair(128, 40), std::pair(256, 20)}) {
        Block block;
        block.params.dim_in = block.params.dim_mid = block.params.dim_out = channels;
        block.weights = randomWeights(block.params, rng);
        const cv::Mat x = randomMap({1, channels, side, side}, rng);
        for (const Precision& precision : precisions) {
            const bool half = precision.target == cv::dnn::DNN_TARGET_CUDA_FP16;
            const double fused_us = blockUs(block, x, Fusion::Auto, precision.target);
            const double expanded_us = blockUs(block, x, Fusion::Off, precision.target);
            results.push_back(
                {{"channels", channels},
                 {"side", side},
                 {"precision", precision.name},
                 {"fused_us", fused_us},
                 {"expanded_us", expanded_us},
                 {"kernels_us", half ? kernelsUs<__half>(block, x) : kernelsUs<float>(block, x)}});
        }
    }
    return results;
}

/// Largest relative error of random blocks against the reference in double precision.
Json checkBlocks(int cases) {
    Json results = Json::array();
    for (const Precision& precision : precisions) {
        cv::RNG rng(2);
        double worst = 0;
        std::string worst_block;
        for (int i = 0; i < cases; ++i) {
            Block block;
            block.params = anyParams(rng);
            block.weights = randomWeights(block.params, rng);
            const cv::Mat x = randomMap({1 + i % 2, block.params.dim_in, 13, 17}, rng);
            const cv::Mat expected = irmbReference(block.params, block.weights, x);
            cv::dnn::Net net =
                chainOf(block, 1, {x.size.p, x.size.p + 4}, Fusion::Auto, precision.target);
            net.setInput(x);
            const double error = maxDifference(net.forward(), expected) /
                                 std::max(1.0, cv::norm(expected, cv::NORM_INF));
            if (error >= worst) {
                worst = error;
                worst_block = describe(block.params);
            }
        }
        results.push_back({{"precision", precision.name},
                           {"blocks", cases},
                           {"worst", worst},
                           {"limit", precision.limit},
                           {"worst_block", worst_block},
                           {"passed", worst <= precision.limit}});
    }
    return results;
}

Model readForCuda(const std::string& path, const Precision& precision, Fusion fusion) {
    ReadOptions options;
    options.engine = Engine::Classic;
    options.fusion = fusion;
    options.for_cuda = true;
    Model model = readModel(path, options);
    model.net.setPreferableBackend(cv::dnn::DNN_BACKEND_CUDA);
    model.net.setPreferableTarget(precision.target);
    return model;
}

/// A letterboxed picture, or noise.
cv::Mat inputFor(const ModelInfo& info, const std::string& npy) {
    if (!npy.empty())
        return vigil_test::readNpy(npy);
    cv::RNG rng(3);
    cv::Mat noise({1, 3, info.input_size.height, info.input_size.width}, CV_32F);
    rng.fill(noise, cv::RNG::UNIFORM, 0, 1);
    return noise;
}

/// What is not a number is as far away as can be.
double distance(float a, float b) {
    const double apart = std::abs(double(a) - b);
    return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
}

/// The largest errors of a raw head [1, 4 + nc, N] over its confident candidates.
struct HeadErrors {
    int candidates = 0;
    double box_px = 0;
    double score = 0;
};

HeadErrors compareHeads(const cv::Mat& actual, const cv::Mat& expected) {
    CV_Assert(actual.size == expected.size && expected.dims == 3);
    const cv::Mat a = actual.reshape(1, expected.size[1]);
    const cv::Mat b = expected.reshape(1, expected.size[1]);
    HeadErrors errors;
    for (int candidate = 0; candidate < b.cols; ++candidate) {
        double best = 0;
        cv::minMaxLoc(b.col(candidate).rowRange(4, b.rows), nullptr, &best);
        if (best < least_score)
            continue;
        ++errors.candidates;
        for (int row = 0; row < b.rows; ++row) {
            double& worst = row < 4 ? errors.box_px : errors.score;
            worst =
                std::max(worst, distance(a.at<float>(row, candidate), b.at<float>(row, candidate)));
        }
    }
    return errors;
}

/// A whole model on the GPU against the same model on the CPU in float32.
Json checkModel(const std::string& path, const Precision& precision, const std::string& npy) {
    Model on_gpu = readForCuda(path, precision, Fusion::Auto);
    if (on_gpu.info.head != HeadKind::RawXyxy && on_gpu.info.head != HeadKind::RawCxcywh)
        return {{"skipped", "has no raw head to compare"}};
    Model on_cpu = readModel(path);
    const cv::Mat input = inputFor(on_gpu.info, npy);
    on_cpu.net.setInput(input);
    on_gpu.net.setInput(input);
    const HeadErrors errors = compareHeads(on_gpu.net.forward(), forward(on_cpu).front());
    if (errors.candidates == 0)
        return {{"skipped", "nothing to compare was found: give a picture"}};
    return {{"candidates", errors.candidates},
            {"box_px", errors.box_px},
            {"score", errors.score},
            {"passed", errors.box_px <= precision.box_px && errors.score <= precision.score_error}};
}

/// Where the time of one 8-bit frame goes, in milliseconds.
Json benchModel(const std::string& path, const Precision& precision, Fusion fusion) {
    Model model = readForCuda(path, precision, fusion);
    cv::Mat frame(1080, 1920, CV_8UC3);
    cv::RNG(3).fill(frame, cv::RNG::UNIFORM, 0, 256);
    cv::Mat blob;
    std::vector<Letterbox> boxes;
    const double preprocess_ms =
        medianMs([&] { boxes = makeBlob({frame}, model.info.input_size, blob); });
    const double forward_ms = forwardMs(model.net, blob);
    model.net.setInput(blob);
    const cv::Mat output = model.net.forward().clone();
    const double decode_ms =
        medianMs([&] { decode(output, model.info.head, boxes.front(), DecodeOptions()); });
    return {{"model", path},
            {"precision", precision.name},
            {"irmb", model.report.blocks.empty() ? "none"
                     : fusion == Fusion::Auto    ? "fused"
                                                 : "expanded"},
            {"preprocess_ms", preprocess_ms},
            {"forward_ms", forward_ms},
            {"decode_ms", decode_ms},
            {"frame_ms", preprocess_ms + forward_ms + decode_ms}};
}

Json benchModels(const std::vector<std::string>& paths, const std::string& npy) {
    Json results = Json::array();
    for (const std::string& path : paths)
        for (const Precision& precision : precisions)
            for (const Fusion fusion : {Fusion::Auto, Fusion::Off}) {
                Json result = benchModel(path, precision, fusion);
                const bool has_blocks = result["irmb"] != "none";
                if (fusion == Fusion::Auto)
                    result["accuracy"] = checkModel(path, precision, npy);
                if (has_blocks || fusion == Fusion::Auto)
                    results.push_back(std::move(result));
            }
    return results;
}

Json describeMachine() {
    int driver = 0;
    int runtime = 0;
    require(cudaDriverGetVersion(&driver));
    require(cudaRuntimeGetVersion(&runtime));
    const cv::cuda::DeviceInfo device;
    const auto version = [](int number) {
        return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
    };
    return {{"device", device.name()},
            {"compute_capability",
             std::to_string(device.majorVersion()) + "." + std::to_string(device.minorVersion())},
            {"driver_cuda", version(driver)},
            {"runtime_cuda", version(runtime)},
            {"opencv", cv::getVersionString()},
            {"cuda_layer", hasCudaLayer()}};
}

int run(std::vector<std::string> arguments) {
    if (cv::cuda::getCudaEnabledDeviceCount() <= 0)
        CV_Error(cv::Error::StsNotImplemented, "no CUDA device, or OpenCV without CUDA");
    Json report = {{"machine", describeMachine()}};
    const bool is_small = arguments == std::vector<std::string>{"--small"};
    report["accuracy"] = checkBlocks(is_small ? small_accuracy_cases : accuracy_cases);
    if (!is_small) {
        report["blocks"] = benchBlocks();
        const auto models_end = std::stable_partition(
            arguments.begin(), arguments.end(),
            [](const std::filesystem::path& file) { return file.extension() != ".npy"; });
        report["models"] = benchModels({arguments.begin(), models_end},
                                       models_end == arguments.end() ? "" : *models_end);
    }
    std::cout << report.dump(2) << '\n';
    return 0;
}

} // namespace
} // namespace irmb::test

int main(int argc, char** argv) {
    try {
        return irmb::test::run({argv + 1, argv + argc});
    } catch (const cv::Exception& error) {
        std::cerr << "gpu_bench: " << error.err << '\n';
    } catch (const std::exception& error) {
        std::cerr << "gpu_bench: " << error.what() << '\n';
    }
    return 1;
}
