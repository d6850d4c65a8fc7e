#include "layer/irmb_layer.hpp"

#include "cpu/irmb_cpu.hpp"
#include "cuda/adapter/opencv_adapter.hpp"
#include "layer/flops.hpp"

#include <opencv2/core.hpp>
#include <opencv2/dnn/shape_utils.hpp>

#include <algorithm>

namespace irmb {
namespace {

using cv::dnn::LayerParams;

[[noreturn]] void fail(const std::string& layer, const std::string& message) {
    CV_Error(cv::Error::StsBadArg, "iRMB '" + layer + "': " + message);
}

/// What the ONNX importers add to a node's own attributes.
bool isImporters(const std::string& name) {
    return name == "has_dynamic_shapes" || name == "depth";
}

NodeAttributes nodeAttributes(const LayerParams& params, const std::string& layer) {
    NodeAttributes attributes;
    for (auto it = params.begin(); it != params.end(); ++it) {
        const auto& [name, value] = *it;
        if (isImporters(name))
            continue;
        if (value.size() != 1)
            fail(layer, name + " is a list; no attribute of the node is one");
        if (value.isInt())
            attributes.ints[name] = value.get<int64>();
        else if (value.isReal())
            attributes.floats[name] = value.get<float>();
        else
            attributes.strings[name] = value.get<cv::String>();
    }
    return attributes;
}

std::string shapeText(const MatShape& shape) {
    std::string text;
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? "x" : "") + std::to_string(shape[i]);
    return "[" + text + "]";
}

void requireMap(const std::vector<MatShape>& inputs, const std::string& layer) {
    if (inputs.empty())
        fail(layer, "has no input");
    const MatShape& x = inputs[0];
    if (x.size() != 4)
        fail(layer, "input has the shape " + shapeText(x) + ", expected [B, C, H, W]");
    for (std::size_t i = 0; i < 4; ++i)
        if (x[i] < 1)
            fail(layer, "input has the shape " + shapeText(x) + ", expected a static one");
}

/// The tensors by name, checked. They come in the order of weightSlots().
IrmbWeights bindWeights(const IrmbParams& params, const std::vector<cv::Mat>& tensors,
                        const std::string& layer) {
    const std::vector<WeightSlot> slots = weightSlots(params);
    if (tensors.size() != slots.size()) {
        std::string names;
        for (const WeightSlot& slot : slots)
            names += (names.empty() ? "" : ", ") + std::string(slot.name);
        fail(layer, "has " + std::to_string(tensors.size()) + " weights, expected " +
                        std::to_string(slots.size()) + ": " + names);
    }
    IrmbWeights weights;
    for (std::size_t i = 0; i < slots.size(); ++i)
        weights.*slots[i].member = tensors[i];
    checkWeights(params, weights, layer);
    return weights;
}

/// Whether both lists are the same memory, seen as the same shapes.
bool sameTensors(const std::vector<cv::Mat>& a, const std::vector<cv::Mat>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.data == y.data && x.size == y.size;
    });
}

} // namespace

/// A block ready to run, with the tensors that it was made of: holding them keeps their memory from
/// being given to others, so that equal addresses mean equal weights.
struct IrmbLayer::Packed {
    int channels;
    std::vector<cv::Mat> sources;
    IrmbCpu cpu;
};

/// The same on a CUDA device.
struct IrmbLayer::Uploaded {
    int channels;
    int target;
    std::vector<cv::Mat> sources;
    std::shared_ptr<const cuda::UploadedBlock> block;
};

IrmbLayer::IrmbLayer(const LayerParams& params) : Layer(params), attributes_(params) {
    attributes_.blobs.clear();
}

IrmbLayer::~IrmbLayer() = default;

cv::Ptr<cv::dnn::Layer> IrmbLayer::create(LayerParams& params) {
    return cv::makePtr<IrmbLayer>(params);
}

bool IrmbLayer::supportBackend(int backend) {
    return backend == cv::dnn::DNN_BACKEND_OPENCV ||
           (backend == cv::dnn::DNN_BACKEND_CUDA && cuda::hasAdapter());
}

IrmbParams IrmbLayer::paramsFor(int channels) const {
    const std::lock_guard lock(mutex_);
    if (!params_ || params_->dim_in != channels)
        params_ = fromAttributes(nodeAttributes(attributes_, name), channels, name);
    return *params_;
}

bool IrmbLayer::getMemoryShapes(const std::vector<MatShape>& in, int /*required_outputs*/,
                                std::vector<MatShape>& out,
                                std::vector<MatShape>& internals) const {
    requireMap(in, name);
    const MatShape& x = in[0];
    const IrmbParams params = paramsFor(x[1]);
    const cv::Size size = outputSize(params, x[2], x[3]);
    out.assign(1, MatShape{x[0], params.dim_out, size.height, size.width});
    internals.clear();
    return false;
}

#if IRMB_LAYER_HAS_TYPES
void IrmbLayer::getTypes(const std::vector<cv::dnn::MatType>& in, int required_outputs,
                         int required_internals, std::vector<cv::dnn::MatType>& out,
                         std::vector<cv::dnn::MatType>& internals) const {
    const bool half_target = preferableTarget == cv::dnn::DNN_TARGET_OPENCL_FP16;
    for (const int depth : in)
        if (depth != CV_32F && !(half_target && depth == CV_16F))
            fail(name, "input of type " + cv::typeToString(depth) + ", expected float32");
    out.assign(required_outputs, in.at(0));
    internals.assign(required_internals, in[0]);
}
#endif

int64 IrmbLayer::getFLOPS(const std::vector<MatShape>& in,
                          const std::vector<MatShape>& /*out*/) const {
    requireMap(in, name);
    const MatShape& x = in[0];
    return x[0] * flops(paramsFor(x[1]), x[2], x[3]);
}

std::vector<cv::Mat> IrmbLayer::weightTensors(const std::vector<cv::Mat>& in) const {
    if (blobs.empty())
        return {in.begin() + 1, in.end()};
    if (in.size() > 1)
        fail(name, "weights must be constants, some are computed by the network");
    return blobs;
}

std::shared_ptr<const IrmbLayer::Packed> IrmbLayer::pack(const std::vector<cv::Mat>& in) {
    const int channels = in[0].size[1];
    std::vector<cv::Mat> tensors = weightTensors(in);
    const IrmbParams params = paramsFor(channels);
    const std::lock_guard lock(mutex_);
    if (!packed_ || packed_->channels != channels || !sameTensors(packed_->sources, tensors)) {
        const IrmbWeights weights = bindWeights(params, tensors, name);
        packed_.reset(new Packed{channels, std::move(tensors), {params, weights}});
    }
    return packed_;
}

std::shared_ptr<const cuda::UploadedBlock> IrmbLayer::upload(int channels) {
    const IrmbParams params = paramsFor(channels);
    const std::lock_guard lock(mutex_);
    if (!uploaded_ || uploaded_->channels != channels || uploaded_->target != preferableTarget ||
        !sameTensors(uploaded_->sources, blobs)) {
        auto block = cuda::upload(params, bindWeights(params, blobs, name), preferableTarget, name);
        uploaded_.reset(new Uploaded{channels, preferableTarget, blobs, std::move(block)});
    }
    return uploaded_->block;
}

cv::Ptr<cv::dnn::BackendNode>
IrmbLayer::initCUDA(void* context, const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& in,
                    const std::vector<cv::Ptr<cv::dnn::BackendWrapper>>& /*out*/) {
    if (in.size() != 1)
        fail(name, "weights must be constants, some are computed by the network");
    const MatShape shape = cuda::shapeOf(in[0]);
    requireMap({shape}, name);
    return upload(shape[1])->makeNode(context, shape);
}

void IrmbLayer::finalize(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays /*out*/) {
    std::vector<cv::Mat> tensors;
    in.getMatVector(tensors);
    requireMap({cv::dnn::shape(tensors.at(0))}, name);
    {
        const std::lock_guard lock(mutex_);
        packed_.reset();
    }
    if (preferableTarget != cv::dnn::DNN_TARGET_CUDA &&
        preferableTarget != cv::dnn::DNN_TARGET_CUDA_FP16)
        pack(tensors);
}

void IrmbLayer::forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                        cv::OutputArrayOfArrays internals) {
    if (in.depth() == CV_16F) { // OpenCL's half precision: convert, run, convert back
        forward_fallback(in, out, internals);
        return;
    }
    std::vector<cv::Mat> tensors;
    std::vector<cv::Mat> results;
    in.getMatVector(tensors);
    out.getMatVector(results);
    CV_Assert(!tensors.empty() && results.size() == 1);

    const auto packed = pack(tensors);
    const cv::Mat x = tensors[0].isContinuous() ? tensors[0] : tensors[0].clone();
    if (results[0].isContinuous()) {
        packed->cpu.forward(x, results[0]);
        return;
    }
    cv::Mat y;
    y.create(results[0].dims, results[0].size.p, CV_32F);
    packed->cpu.forward(x, y);
    y.copyTo(results[0]);
}

} // namespace irmb
