// Checks and times iRMBs, YOLOv10's own attention and whole models on OpenCV's CUDA backend, with a
// GPU: what tools/gpu_check.py runs. Prints one JSON object. Arguments: ONNX files of detectors,
// and X.npy, a letterboxed picture [1, 3, H, W] of their size to compare on (else noise); or
// --small to check a few blocks and time nothing, for compute-sanitizer.
#include "cuda/candidates.hpp"
#include "cuda/global_attention.hpp"
#include "cuda/host_weights.hpp"
#include "cuda/irmb_kernels.hpp"
#include "onnx/file/io.hpp"
#include "onnx/irmb/custom_node.hpp"
#include "reference/attention_reference.hpp"
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
#include <memory>

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

onnx::OnnxModel emptyModel(const std::vector<int>& shape) {
    onnx::OnnxModel model;
    model.opsets[""] = 13;
    model.graph.inputs.push_back(
        {"x0", onnx::DataType::Float, true, onnx::Shape(shape.begin(), shape.end())});
    return model;
}

cv::dnn::Net netOf(const onnx::OnnxModel& model, Fusion fusion, int target) {
    const vigil::test::ScratchFolder folder;
    onnx::save(model, folder.path("net.onnx"));
    ReadOptions options;
    options.engine = Engine::Classic;
    options.fusion = fusion;
    options.for_cuda = true;
    cv::dnn::Net net = readModel(folder.path("net.onnx"), options).net;
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_CUDA);
    net.setPreferableTarget(target);
    return net;
}

/// A network of `count` times the same block in a row.
cv::dnn::Net chainOf(const Block& block, int count, const std::vector<int>& shape, Fusion fusion,
                     int target) {
    onnx::OnnxModel model = emptyModel(shape);
    onnx::Facts facts;
    for (int i = 0; i < count; ++i)
        model.graph.nodes.push_back(onnx::makeIrmb(model, facts, "x" + std::to_string(i),
                                                   "x" + std::to_string(i + 1), block.params,
                                                   block.weights));
    model.graph.outputs.push_back({"x" + std::to_string(count), onnx::DataType::Float, false, {}});
    return netOf(model, fusion, target);
}

/// YOLOv10's own attention, that of its PSA.
struct Psa {
    int heads;
    int dim_key;
    int dim_value;
    int side; ///< of the map

    int channels() const { return heads * (2 * dim_key + dim_value); }
    float scale() const { return 1.f / std::sqrt(static_cast<float>(dim_key)); }
    std::vector<int> input() const { return {1, channels(), side, side}; }
};

/// Appends the attention as exporters write it, from the map `x` to the map `y`.
void addAttention(onnx::OnnxModel& model, const Psa& psa, const std::string& x,
                  const std::string& y) {
    onnx::Graph& graph = model.graph;
    const auto add = [&](const std::string& op, std::vector<std::string> inputs,
                         std::vector<std::string> outputs,
                         std::map<std::string, onnx::Attribute> attributes = {}) {
        const std::string name = outputs[0];
        graph.nodes.push_back(
            {op, "", name, std::move(inputs), std::move(outputs), std::move(attributes)});
    };
    const auto list = [&](const std::string& name, const onnx::Shape& values) {
        graph.initializers[y + name] =
            onnx::Tensor::fromInts({static_cast<int64_t>(values.size())}, values);
        return y + name;
    };
    const onnx::Shape swapped = {0, 1, 3, 2};
    graph.initializers[y + "scale"] = onnx::Tensor::scalar(psa.scale());
    add("Reshape",
        {x, list("heads", {1, psa.heads, 2 * psa.dim_key + psa.dim_value, psa.side * psa.side})},
        {y + "qkv"});
    add("Split", {y + "qkv", list("parts", {psa.dim_key, psa.dim_key, psa.dim_value})},
        {y + "q", y + "k", y + "v"}, {{"axis", int64_t{2}}});
    add("Transpose", {y + "q"}, {y + "qt"}, {{"perm", swapped}});
    add("MatMul", {y + "qt", y + "k"}, {y + "qk"});
    add("Mul", {y + "qk", y + "scale"}, {y + "logits"});
    add("Softmax", {y + "logits"}, {y + "weights"}, {{"axis", int64_t{-1}}});
    add("Transpose", {y + "weights"}, {y + "weightst"}, {{"perm", swapped}});
    add("MatMul", {y + "v", y + "weightst"}, {y + "sums"});
    add("Reshape", {y + "sums", list("map", {1, psa.heads * psa.dim_value, psa.side, psa.side})},
        {y});
}

/// A network of `count` attentions in a row. Between two of them the result is repeated, to have as
/// many channels as the input.
cv::dnn::Net attentionsOf(const Psa& psa, int count, Fusion fusion, int target) {
    onnx::OnnxModel model = emptyModel(psa.input());
    for (int i = 0; i < count; ++i) {
        const std::string x = "x" + std::to_string(i);
        const std::string y = i + 1 < count ? "y" + std::to_string(i) : "x" + std::to_string(count);
        addAttention(model, psa, x, y);
        if (i + 1 < count)
            model.graph.nodes.push_back({"Concat",
                                         "",
                                         "join" + std::to_string(i),
                                         {y, y},
                                         {"x" + std::to_string(i + 1)},
                                         {{"axis", int64_t{1}}}});
    }
    model.graph.outputs.push_back({"x" + std::to_string(count), onnx::DataType::Float, false, {}});
    return netOf(model, fusion, target);
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

/// Time of what `launch` enqueues on a stream, by the clock of the device.
double deviceUs(const std::function<void(cudaStream_t)>& launch) {
    cudaStream_t stream = nullptr;
    cudaEvent_t start = nullptr;
    cudaEvent_t end = nullptr;
    require(cudaStreamCreate(&stream));
    require(cudaEventCreate(&start));
    require(cudaEventCreate(&end));
    for (int i = 0; i < warmup; ++i)
        launch(stream);
    require(cudaEventRecord(start, stream));
    for (int i = 0; i < passes; ++i)
        launch(stream);
    require(cudaEventRecord(end, stream));
    require(cudaEventSynchronize(end));
    float time_ms = 0;
    require(cudaEventElapsedTime(&time_ms, start, end));
    cudaEventDestroy(end);
    cudaEventDestroy(start);
    cudaStreamDestroy(stream);
    return 1000.0 * time_ms / passes;
}

/// Device memory full of zeros.
template <typename T>
std::shared_ptr<T> deviceZeros(std::size_t elements) {
    void* memory = nullptr;
    require(cudaMalloc(&memory, std::max<std::size_t>(1, elements * sizeof(T))));
    const std::shared_ptr<T> owner(static_cast<T*>(memory), [](T* old) { cudaFree(old); });
    require(cudaMemset(memory, 0, elements * sizeof(T)));
    return owner;
}

/// Time of the kernels alone.
template <typename T>
double kernelsUs(const Block& block, const cv::Mat& x) {
    const cuda::IrmbKernels<T> kernels(block.params, cuda::hostWeights(block.weights), "bench");
    const cuda::MapShape shape = {x.size[0], x.size[2], x.size[3]};
    const auto input = deviceZeros<T>(x.total());
    const auto output = deviceZeros<T>(x.total());
    const auto scratch = deviceZeros<char>(kernels.scratchBytes(shape));
    return deviceUs([&](cudaStream_t stream) {
        kernels.launch(stream, input.get(), output.get(), scratch.get(), shape);
    });
}

template <typename T>
double attentionUs(const Psa& psa) {
    const cuda::AttentionShape shape = {1, psa.heads, psa.dim_key, psa.dim_value,
                                        psa.side * psa.side};
    const std::size_t results = std::size_t{1} * psa.heads * psa.dim_value * shape.pixels;
    const auto x = deviceZeros<T>(std::size_t{1} * psa.channels() * shape.pixels);
    const auto y = deviceZeros<T>(results);
    const auto values = deviceZeros<T>(results);
    return deviceUs([&](cudaStream_t stream) {
        cuda::launchGlobalAttention<T>(stream, x.get(), y.get(), values.get(), shape, psa.scale(),
                                       "bench");
    });
}

/// A float32 map in device memory, as T.
template <typename T>
std::shared_ptr<T> uploaded(const cv::Mat& map) {
    cv::Mat typed;
    map.convertTo(typed, sizeof(T) == sizeof(float) ? CV_32F : CV_16F);
    auto device = deviceZeros<T>(map.total());
    require(cudaMemcpy(device.get(), typed.data, map.total() * sizeof(T), cudaMemcpyHostToDevice));
    return device;
}

/// Time of reducing a head to its candidates.
template <typename T>
double candidatesUs(const cuda::HeadShape& head) {
    cv::RNG rng(6);
    const cv::Mat numbers = randomMap({4, head.anchors}, rng);
    const cuda::CandidateKernels kernels(head, numbers.ptr<float>(), numbers.ptr<float>(), "bench");
    const auto distances = uploaded<T>(numbers);
    const auto scores = uploaded<T>(randomMap({head.classes, head.anchors}, rng));
    const auto rows = deviceZeros<T>(std::size_t{12} * head.keep);
    const auto scratch = deviceZeros<char>(kernels.scratchBytes(1));
    return deviceUs([&](cudaStream_t stream) {
        kernels.launch<T>(stream, distances.get(), scores.get(), rows.get(), scratch.get(), 1);
    });
}

/// The heads of COCO's classes for 640 x 640 and 1280 x 1280 pixels, the kernels alone.
Json benchCandidates() {
    Json results = Json::array();
    for (const int anchors : {8400, 33600})
        for (const Precision& precision : precisions) {
            const cuda::HeadShape head = {80, anchors, 1000};
            const bool half = precision.target == cv::dnn::DNN_TARGET_CUDA_FP16;
            results.push_back(
                {{"anchors", anchors},
                 {"precision", precision.name},
                 {"kernels_us", half ? candidatesUs<__half>(head) : candidatesUs<float>(head)}});
        }
    return results;
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

/// The attention of YOLOv10n and of YOLOv10x for 640 x 640 pixels, in the network and alone: ours
/// and OpenCV's operators. The time of a Concat is in both of the former.
Json benchAttention() {
    Json results = Json::array();
    for (const Psa& psa : {Psa{2, 32, 64, 20}, Psa{5, 32, 64, 20}}) {
        cv::RNG rng(4);
        const cv::Mat x = randomMap(psa.input(), rng);
        const auto inNetworkUs = [&](Fusion fusion, int target) {
            cv::dnn::Net one = attentionsOf(psa, 1, fusion, target);
            cv::dnn::Net many = attentionsOf(psa, chain_length, fusion, target);
            return 1000 * (forwardMs(many, x) - forwardMs(one, x)) / (chain_length - 1);
        };
        for (const Precision& precision : precisions) {
            const bool half = precision.target == cv::dnn::DNN_TARGET_CUDA_FP16;
            results.push_back(
                {{"heads", psa.heads},
                 {"side", psa.side},
                 {"precision", precision.name},
                 {"fused_us", inNetworkUs(Fusion::Auto, precision.target)},
                 {"expanded_us", inNetworkUs(Fusion::Off, precision.target)},
                 {"kernels_us", half ? attentionUs<__half>(psa) : attentionUs<float>(psa)}});
        }
    }
    return results;
}

/// Largest relative error of attentions inside a network against the reference.
Json checkAttention() {
    Json results = Json::array();
    const std::vector<Psa> cases = {{2, 32, 64, 20}, {1, 5, 7, 9}, {3, 17, 33, 13}};
    for (const Precision& precision : precisions) {
        double worst = 0;
        for (const Psa& psa : cases) {
            cv::RNG rng(5);
            const cv::Mat x = randomMap(psa.input(), rng) * 2;
            const cv::Mat expected =
                attentionReference(x, psa.heads, psa.dim_key, psa.dim_value, psa.scale());
            cv::dnn::Net net = attentionsOf(psa, 1, Fusion::Auto, precision.target);
            net.setInput(x);
            worst = std::max(worst, maxDifference(net.forward(), expected) /
                                        cv::norm(expected.reshape(1, 1), cv::NORM_INF));
        }
        results.push_back({{"precision", precision.name},
                           {"cases", cases.size()},
                           {"worst", worst},
                           {"limit", precision.limit},
                           {"passed", worst <= precision.limit}});
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

/// What of a frame is done on the device beside the network, where it can be. Vigil takes both.
struct Ends {
    bool byte_input = false;
    bool candidates = false; ///< chosen there, in place of the whole head
};

Model readForCuda(const std::string& path, const Precision& precision, Fusion fusion,
                  Ends ends = {}) {
    ReadOptions options;
    options.byte_input = ends.byte_input;
    options.candidates_only = ends.candidates;
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

Json verdict(const HeadErrors& errors, const Precision& precision) {
    if (errors.candidates == 0)
        return {{"skipped", "nothing to compare was found: give a picture"}};
    return {{"candidates", errors.candidates},
            {"box_px", errors.box_px},
            {"score", errors.score},
            {"passed", errors.box_px <= precision.box_px && errors.score <= precision.score_error}};
}

/// The head of a whole model on the GPU against the same on the CPU in float32.
Json checkHead(const std::string& path, const Precision& precision, const std::string& npy) {
    Model on_gpu = readForCuda(path, precision, Fusion::Auto);
    if (on_gpu.info.head != HeadKind::RawXyxy && on_gpu.info.head != HeadKind::RawCxcywh)
        return {{"skipped", "has no raw head to compare"}};
    Model on_cpu = readModel(path);
    const cv::Mat input = inputFor(on_gpu.info, npy);
    on_cpu.net.setInput(input);
    on_gpu.net.setInput(input);
    return verdict(compareHeads(on_gpu.net.forward(), forward(on_cpu).front()), precision);
}

/// How far the row of `rows` [K, 6] that is most like `wanted`, of the same class, is from it.
HeadErrors distanceToRows(const cv::Mat& rows, const float* wanted, const Precision& precision) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    HeadErrors nearest = {1, infinity, infinity};
    const auto measure = [&](const HeadErrors& errors) {
        return std::max(errors.box_px / precision.box_px, errors.score / precision.score_error);
    };
    for (int i = 0; i < rows.rows; ++i) {
        const float* row = rows.ptr<float>(i);
        if (row[5] != wanted[5])
            continue;
        HeadErrors errors = {1, 0, distance(row[4], wanted[4])};
        for (int side = 0; side < 4; ++side)
            errors.box_px = std::max(errors.box_px, distance(row[side], wanted[side]));
        if (measure(errors) < measure(nearest))
            nearest = errors;
    }
    return nearest;
}

/// Errors of the rows that the device kept, against the confident ones of the host, as sets.
HeadErrors compareRows(const cv::Mat& actual, const cv::Mat& expected, const Precision& precision) {
    HeadErrors errors;
    for (int i = 0; i < expected.rows && expected.at<float>(i, 4) >= least_score; ++i) {
        const HeadErrors row = distanceToRows(actual, expected.ptr<float>(i), precision);
        errors = {errors.candidates + 1, std::max(errors.box_px, row.box_px),
                  std::max(errors.score, row.score)};
    }
    return errors;
}

/// The candidates that the device keeps of a whole model against those of the CPU in float32. Their
/// boxes are float whatever the precision, those of a head are not.
Json checkCandidates(const std::string& path, const Precision& precision, const std::string& npy) {
    Model on_gpu = readForCuda(path, precision, Fusion::Auto, {false, true});
    Model on_cpu = readModel(path);
    const cv::Mat input = inputFor(on_gpu.info, npy);
    on_cpu.net.setInput(input);
    on_gpu.net.setInput(input);
    const cv::Mat expected = endToEnd(forward(on_cpu).front(), on_gpu.candidates);
    return verdict(compareRows(forward(on_gpu).front().reshape(1, on_gpu.candidates),
                               expected.reshape(1, on_gpu.candidates), precision),
                   precision);
}

/// The parts of a frame's time, and what came back of it, as Vigil takes it: the copy of the output
/// that it makes is in forward_ms.
struct FrameTimes {
    double preprocess_ms;
    double forward_ms;
    double decode_ms;
    cv::Mat output;

    Json json() const {
        return {{"preprocess_ms", preprocess_ms},
                {"forward_ms", forward_ms},
                {"decode_ms", decode_ms},
                {"frame_ms", preprocess_ms + forward_ms + decode_ms}};
    }
};

FrameTimes timeFrame(Model& model, const cv::Mat& frame) {
    cv::Mat blob;
    FrameTimes times;
    times.preprocess_ms = medianMs([&] { makeInput(model, {frame}, blob); });
    times.forward_ms = medianMs([&] {
        model.net.setInput(blob);
        times.output = forward(model).front().clone();
    });
    const Letterbox box = Letterbox::fit(frame.size(), model.info.input_size);
    times.decode_ms = medianMs([&] { decode(times.output, model.info, box); });
    return times;
}

/// Where the time of one 8-bit frame goes, in milliseconds: as Vigil runs it, with the whole head
/// coming back, and with float32 input, too. `fusion` is about iRMBs and YOLOv10's own attention.
Json benchModel(const std::string& path, const Precision& precision, Fusion fusion) {
    cv::Mat frame(1080, 1920, CV_8UC3);
    cv::RNG(3).fill(frame, cv::RNG::UNIFORM, 0, 256);
    const auto timesOf = [&](Model& model) { return timeFrame(model, frame); };
    Model with_floats = readForCuda(path, precision, fusion);
    const FrameTimes floats = timesOf(with_floats);
    Model with_head = readForCuda(path, precision, fusion, {true, false});
    const FrameTimes head = timesOf(with_head);
    Model model = readForCuda(path, precision, fusion, {true, true});
    const double difference = maxDifference(head.output, floats.output);
    Json result = {{"model", path},
                   {"precision", precision.name},
                   {"irmbs", model.report.blocks.size()},
                   {"fused", fusion == Fusion::Auto}};
    result.update(timesOf(model).json());
    result["candidates"] = model.candidates;
    result["whole_head"] = head.json();
    result["float_input"] = floats.json();
    result["byte_input"] = {{"used", with_head.byte_input},
                            {"difference", difference},
                            {"passed", difference <= precision.box_px}};
    return result;
}

Json benchModels(const std::vector<std::string>& paths, const std::string& npy) {
    Json results = Json::array();
    for (const std::string& path : paths)
        for (const Precision& precision : precisions)
            for (const Fusion fusion : {Fusion::Auto, Fusion::Off}) {
                Json result = benchModel(path, precision, fusion);
                if (fusion == Fusion::Auto)
                    result["accuracy"] = result["candidates"] > 0
                                             ? checkCandidates(path, precision, npy)
                                             : checkHead(path, precision, npy);
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
    report["attention_accuracy"] = checkAttention();
    if (!is_small) {
        report["blocks"] = benchBlocks();
        report["attention"] = benchAttention();
        report["candidates"] = benchCandidates();
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
