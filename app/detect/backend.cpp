#include "backend.hpp"

#include <opencv2/core/cuda.hpp>

#include <algorithm>

namespace vigil {
namespace {

using cv::dnn::DNN_BACKEND_CUDA;

/// Whether OpenCV's DNN module was built with its CUDA backend, by what the build says of itself:
/// some versions list the backend without a device too, others do not.
bool builtWithCuda() {
    const std::string key = "cuDNN:";
    const std::string facts = cv::getBuildInformation();
    std::size_t at = facts.find(key);
    if (at == std::string::npos)
        return false;
    at = facts.find_first_not_of(' ', at + key.size());
    return facts.compare(at, 3, "YES") == 0;
}

bool listsCuda() {
    const auto pairs = cv::dnn::getAvailableBackends();
    return std::any_of(pairs.begin(), pairs.end(),
                       [](const auto& pair) { return pair.first == DNN_BACKEND_CUDA; });
}

/// Why CUDA cannot be used where OpenCV counts `count` devices; empty if it can.
std::string hindrance(int count) {
    if (!builtWithCuda())
        return "OpenCV " + cv::getVersionString() + " was built without CUDA for DNN";
    if (count < 0)
        return "the NVIDIA driver is missing, or too old for the CUDA that OpenCV was built with";
    if (count == 0)
        return "no CUDA device was found";
    return listsCuda() ? "" : "OpenCV was not built for the architecture of this machine's GPU";
}

BackendChoice chooseCpu(const std::string& precision) {
    if (precision == "fp16")
        CV_Error(cv::Error::StsNotImplemented,
                 "--precision fp16: the CPU backend computes in fp32 or bf16 only; use one of "
                 "these, or auto");
    BackendChoice choice;
    if (precision == "bf16")
        choice.precision = precision;
    return choice;
}

BackendChoice chooseCuda(const std::string& precision) {
    if (precision == "bf16")
        CV_Error(cv::Error::StsNotImplemented,
                 "--precision bf16: OpenCV's CUDA backend computes in fp32 or fp16 only; "
                 "use one of these");
    const bool half = precision == "fp16";
    return {DNN_BACKEND_CUDA, half ? cv::dnn::DNN_TARGET_CUDA_FP16 : cv::dnn::DNN_TARGET_CUDA,
            "cuda", half ? "fp16" : "fp32"};
}

} // namespace

CudaProbe probeCuda() {
    CudaProbe probe;
    try {
        const int count = cv::cuda::getCudaEnabledDeviceCount();
        probe.reason = hindrance(count);
        if (!probe.reason.empty())
            return probe;
        for (int i = 0; i < count; ++i)
            probe.devices.emplace_back(cv::cuda::DeviceInfo(i).name());
        probe.usable = true;
    } catch (const std::exception& error) {
        probe.reason = std::string("CUDA could not be asked for its devices: ") + error.what();
    }
    return probe;
}

BackendChoice chooseBackend(const std::string& backend, const std::string& precision) {
    static const std::vector<std::string> backends = {"auto", "cpu", "cuda"};
    static const std::vector<std::string> precisions = {"auto", "fp32", "fp16", "bf16"};
    const auto known = [](const auto& names, const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (!known(backends, backend))
        CV_Error(cv::Error::StsBadArg,
                 "--backend " + backend + ": unknown backend; use auto, cpu or cuda");
    if (!known(precisions, precision))
        CV_Error(cv::Error::StsBadArg,
                 "--precision " + precision + ": unknown precision; use auto, fp32, fp16 or bf16");
    if (backend == "cpu")
        return chooseCpu(precision);
    const CudaProbe probe = probeCuda();
    if (probe.usable)
        return chooseCuda(precision);
    if (backend == "cuda")
        CV_Error(cv::Error::StsNotImplemented,
                 "--backend cuda: " + probe.reason + "; use --backend cpu, or auto");
    return chooseCpu(precision);
}

irmb::Engine chooseEngine(const BackendChoice& choice, irmb::Engine asked) {
    if (choice.backend != DNN_BACKEND_CUDA)
        return asked;
    if (asked == irmb::Engine::New)
        CV_Error(cv::Error::StsBadArg,
                 "--engine new: the new engine runs on the CPU only; use --engine classic with "
                 "CUDA, or --backend cpu");
    return irmb::Engine::Classic;
}

std::vector<std::string> fallbackLayers(cv::dnn::Net& net, const BackendChoice& choice) {
    std::vector<std::string> fallback;
    if (choice.backend != DNN_BACKEND_CUDA)
        return fallback;
    for (const std::string& name : net.getLayerNames()) {
        const cv::Ptr<cv::dnn::Layer> layer = net.getLayer(net.getLayerId(name));
        if (layer && !layer->supportBackend(DNN_BACKEND_CUDA))
            fallback.push_back(name + " (" + layer->type + ")");
    }
    return fallback;
}

} // namespace vigil
