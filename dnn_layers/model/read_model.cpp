#include "accelerate/accelerate.hpp"
#include "accelerate/fuse_attention.hpp"
#include "cuda/adapter/opencv_adapter.hpp"
#include "import_net.hpp"
#include "onnx/fault.hpp"
#include "onnx/file/io.hpp"
#include "onnx/fold/specialise.hpp"
#include "onnx/head/detection_head.hpp"
#include "onnx/irmb/fuse_irmb.hpp"
#include "onnx/opencv/keep_candidates.hpp"
#include "onnx/opencv/refuse_hazards.hpp"
#include "onnx/opencv/rejoin_splits.hpp"
#include "onnx/opencv/rewrite_gelu.hpp"
#include "onnx/opencv/slice_gathers.hpp"
#include "onnx/opencv/take_bytes.hpp"
#include "onnx/opencv/unmerge_pads.hpp"
#include "onnx/text.hpp"

#include <irmb_dnn/layers.hpp>

#include <algorithm>

namespace irmb {
namespace {

constexpr int64_t kMaxElements = int64_t{1} << 28; // of one tensor: 1 GiB of float32
constexpr std::size_t kMaxMessage = 600;           // characters
constexpr int kMostCandidates = 1000; // what is kept of a head, where that is done on the device

/// A model on its way into OpenCV.
struct Prepared {
    onnx::OnnxModel model;
    onnx::Facts facts;
    ModelInfo info;
    FusionReport report;
};

const onnx::ValueInfo& onlyInput(const onnx::Graph& graph) {
    if (graph.inputs.size() != 1)
        CV_Error(cv::Error::StsNotImplemented, "the network has " +
                                                   std::to_string(graph.inputs.size()) +
                                                   " inputs; export it with the image alone");
    const onnx::ValueInfo& input = graph.inputs.front();
    if (input.type != onnx::DataType::Float)
        CV_Error(cv::Error::StsNotImplemented, "input " + onnx::quoted(input.name) + " takes " +
                                                   onnx::typeName(input.type) +
                                                   ": export the network with a float32 input");
    return input;
}

/// The shape that the network is prepared for: what the caller wants, else what the file says.
onnx::Shape chooseInputShape(const onnx::OnnxModel& model, const ReadOptions& options) {
    const onnx::ValueInfo& input = onlyInput(model.graph);
    onnx::Shape shape = input.shape;
    if (!input.has_shape)
        shape = {-1, 3, -1, -1};
    if (shape.empty())
        CV_Error(cv::Error::StsNotImplemented, "input " + onnx::quoted(input.name) +
                                                   " is a scalar, not an image; use another model");
    if (options.batch > 0)
        shape[0] = options.batch;
    else if (shape[0] < 0)
        shape[0] = 1;
    if (shape.size() == 4) {
        const bool is_open = shape[2] < 0 || shape[3] < 0;
        const cv::Size noted = is_open ? onnx::metadataImageSize(model) : cv::Size();
        const cv::Size size = options.input_size.empty() ? noted : options.input_size;
        if (!size.empty()) {
            shape[2] = size.height;
            shape[3] = size.width;
        }
        if (shape[1] < 0)
            shape[1] = 3;
    }
    if (std::any_of(shape.begin(), shape.end(), [](int64_t side) { return side <= 0; }))
        CV_Error(cv::Error::StsBadArg, "the size of input " + onnx::quoted(input.name) +
                                           " is open: give the input size, such as "
                                           "640x640 (--input-size, ReadOptions::input_size)");
    if (onnx::elementCount(shape) > kMaxElements)
        CV_Error(cv::Error::StsOutOfRange, "an input of " + onnx::toString(shape) +
                                               " is too large: nothing beyond 1 GiB is supported, "
                                               "use a smaller input");
    return shape;
}

/// A small file can describe tensors that no machine holds.
void checkSizes(const onnx::Facts& facts) {
    for (const auto& [name, fact] : facts)
        if (fact.shape && onnx::elementCount(*fact.shape) > kMaxElements)
            CV_Error(cv::Error::StsOutOfRange,
                     "tensor " + onnx::quoted(name) + " would be " + onnx::toString(*fact.shape) +
                         ": nothing beyond 1 GiB is supported, use a smaller input");
}

/// The declared shapes become those that the network really has: some importers rely on them.
void declareOutputs(onnx::Graph& graph, const onnx::Facts& facts) {
    for (onnx::ValueInfo& output : graph.outputs) {
        const auto fact = facts.find(output.name);
        if (fact == facts.end() || !fact->second.shape)
            continue;
        output.type = fact->second.type;
        output.has_shape = true;
        output.shape = *fact->second.shape;
        if (onnx::elementCount(output.shape) == 0)
            onnx::refuseFile("output " + onnx::quoted(output.name) + " of shape " +
                             onnx::toString(output.shape) + " is empty");
    }
}

void describe(const onnx::Graph& graph, ModelInfo& info) {
    const onnx::ValueInfo& input = graph.inputs.front();
    info.input_name = input.name;
    info.input_shape.assign(input.shape.begin(), input.shape.end());
    info.batch = info.input_shape.front();
    if (info.input_shape.size() == 4)
        info.input_size = {info.input_shape[3], info.input_shape[2]};
    for (const onnx::ValueInfo& output : graph.outputs)
        info.output_names.push_back(output.name);
    const onnx::ValueInfo& output = graph.outputs.front();
    if (output.has_shape)
        info.output_shape.assign(output.shape.begin(), output.shape.end());
}

void requireWhole(const FusionReport& report) {
    const int missed = report.core() + report.unfused();
    if (missed == 0)
        return;
    std::string message = std::to_string(missed) + " of " + std::to_string(report.blocks.size()) +
                          " iRMBs cannot be fused whole:";
    for (const BlockReport& block : report.blocks)
        if (block.outcome != BlockReport::Outcome::Whole)
            message += " " + onnx::quoted(block.name) + " (" + block.reason + ")";
    CV_Error(cv::Error::StsNotImplemented, message);
}

/// A raw head of another task (masks, key points, angles) has rows that are no class scores.
void checkTask(ModelInfo& info) {
    const auto task = info.metadata.find("task");
    const bool is_raw = info.head == HeadKind::RawXyxy || info.head == HeadKind::RawCxcywh;
    if (is_raw && task != info.metadata.end() && task->second != "detect")
        info.head = HeadKind::None;
}

/// Rewrites every recognised iRMB with standard operators of our choice.
void expandForCuda(onnx::OnnxModel& model, onnx::Facts& facts, FusionReport& report) {
    onnx::expandIrmbs(model, facts);
    for (BlockReport& block : report.blocks) {
        if (block.outcome == BlockReport::Outcome::Unfused)
            continue;
        block.outcome = BlockReport::Outcome::Unfused;
        block.reason = "this build has no CUDA layer: standard operators run on the GPU instead";
    }
}

/// Fuses the iRMBs, or expands those that the file holds as custom nodes.
FusionReport fuse(onnx::OnnxModel& model, onnx::Facts& facts, const ReadOptions& options) {
    const bool is_off = options.fusion == Fusion::Off;
    FusionReport report = onnx::fuseIrmbs(model, facts, !is_off);
    if (is_off)
        onnx::expandIrmbs(model, facts);
    else if (options.for_cuda && !hasCudaLayer())
        expandForCuda(model, facts, report);
    if (options.fusion == Fusion::Required)
        requireWhole(report);
    return report;
}

bool isOpen(const onnx::ValueInfo& input) {
    return !input.has_shape || std::any_of(input.shape.begin(), input.shape.end(),
                                           [](int64_t side) { return side < 0; });
}

Prepared transform(onnx::OnnxModel model, const ReadOptions& options) {
    const onnx::Shape shape = chooseInputShape(model, options);
    const std::string input = model.graph.inputs.front().name;
    const bool is_open = isOpen(model.graph.inputs.front());
    onnx::Facts facts = onnx::specialise(model, {{input, shape}});
    checkSizes(facts);
    onnx::simplify(model, facts);
    onnx::unmergePointwisePads(model, facts);
    if (is_open)
        onnx::checkTracedSize(model, facts);

    Prepared prepared;
    prepared.report = fuse(model, facts, options);
    onnx::analyseHead(model, facts, options.cut_tail, prepared.info, prepared.report.notes);
    onnx::readMetadata(model, prepared.info, prepared.report.notes);
    checkTask(prepared.info);
    onnx::rewriteGelu(model, facts);
    onnx::unmergeDepthwisePads(model, facts);
    if (options.for_cuda) {
        onnx::sliceGathers(model, facts);
        onnx::rejoinSplits(model, facts);
    }
    onnx::removeDead(model.graph);
    onnx::refuseHazards(model, facts);
    declareOutputs(model.graph, facts);
    describe(model.graph, prepared.info);
    prepared.model = std::move(model);
    prepared.facts = std::move(facts);
    return prepared;
}

Prepared prepare(const std::string& path, const ReadOptions& options) {
    onnx::OnnxModel model = onnx::load(path);
    try {
        Prepared prepared = transform(std::move(model), options);
        prepared.info.path = path;
        return prepared;
    } catch (const cv::Exception& error) {
        // Names and values of an untrusted file are in the message.
        CV_Error(error.code, path + ": " + onnx::printable(error.err, kMaxMessage));
    }
}

/// What OpenCV shall not run itself is taken out of the graph.
accelerate::RegionOffers accelerateOnCpu(Prepared& prepared, const ReadOptions& options,
                                         AccelerationReport& report) {
    try {
        if (options.cpu_acceleration == CpuAcceleration::Auto && !options.for_cuda)
            return accelerate::accelerate(prepared.model, prepared.facts, options.precision,
                                          report);
        if (options.precision != Precision::Float32)
            CV_Error(cv::Error::StsBadArg,
                     "precision bf16 needs CPU acceleration, which is switched off: use fp32");
    } catch (const cv::Exception& error) {
        CV_Error(error.code, prepared.info.path + ": " + error.err);
    }
    report.reason = options.for_cuda ? "the network is for CUDA" : "it is switched off";
    return {};
}

/// Leaves the choice of the best candidates to the device. Returns how many it keeps; 0: none.
int keepCandidates(Prepared& prepared, const ReadOptions& options) {
    ModelInfo& info = prepared.info;
    if (!options.for_cuda || !options.candidates_only || !hasCudaLayer() ||
        info.head != HeadKind::RawXyxy)
        return 0;
    const int keep = onnx::keepCandidates(prepared.model, prepared.facts, kMostCandidates);
    if (keep == 0)
        return 0;
    info.head = HeadKind::EndToEnd;
    info.output_names = {prepared.model.graph.outputs[0].name};
    info.output_shape = {info.batch, keep, 6};
    return keep;
}

} // namespace

Model readModel(const std::string& path, const ReadOptions& options) {
    registerLayers();
    Prepared prepared = prepare(path, options);
    AccelerationReport acceleration;
    const accelerate::RegionOffers offers = accelerateOnCpu(prepared, options, acceleration);
    int attention_layers = 0;
    if (options.for_cuda && hasCudaLayer() && options.fusion != Fusion::Off)
        attention_layers = accelerate::fuseAttention(prepared.model, prepared.facts);
    const bool byte_input = options.for_cuda && options.byte_input && cuda::hasByteTensors() &&
                            onnx::takeBytes(prepared.model);
    const int candidates = keepCandidates(prepared, options);
    ImportedNet imported = importNet(onnx::serialize(prepared.model), options.engine, path);
    if (CV_VERSION_MAJOR >= 5 && options.engine == Engine::Auto && imported.engine == "classic")
        prepared.report.notes.push_back(classic_instead);
    return {std::move(imported.net),    std::move(prepared.info),
            std::move(prepared.report), std::move(imported.engine),
            std::move(acceleration),    byte_input,
            attention_layers,           candidates};
}

Model convertModel(const std::string& input, const std::string& output,
                   const ReadOptions& options) {
    Prepared prepared = prepare(input, options);
    onnx::save(prepared.model, output);
    return {{}, std::move(prepared.info), std::move(prepared.report), {}, {}, false, 0, 0};
}

} // namespace irmb
