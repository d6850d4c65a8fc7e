#include "backend.hpp"

#include <opencv2/core/cuda.hpp>

#include <algorithm>
#include <sstream>

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

/// The layers of one box of the drawing that OpenCV makes of a network, as "name (type)". Its label
/// is name\ntype\n..., and of layers that were merged {name\ntype\n... | name\ntype\n...}.
std::vector<std::string> layersOfBox(const std::string& label) {
    const std::string line_end = "\\n";
    const std::string separator = " | ";
    std::vector<std::string> layers;
    std::size_t at = label.rfind('{', 0) == 0 ? 1 : 0;
    while (true) {
        const std::size_t name_end = label.find(line_end, at);
        if (name_end == std::string::npos)
            return layers;
        const std::size_t type = name_end + line_end.size();
        const std::size_t type_end = label.find(line_end, type);
        layers.push_back(label.substr(at, name_end - at) + " (" +
                         label.substr(type, type_end - type) + ")");
        at = label.find(separator, type);
        if (at == std::string::npos)
            return layers;
        at += separator.size();
    }
}

/// The layers of an allocated network that have no node of its backend. OpenCV tells this in the
/// drawing of a network alone: a layer may support a backend and yet decline the shapes at hand.
std::vector<std::string> layersOnCpu(cv::dnn::Net& net) {
    const std::string label_begin = " [label=\"";
    std::vector<std::string> result;
    std::istringstream drawing(net.dump());
    for (std::string line; std::getline(drawing, line);) {
        const std::size_t label = line.find(label_begin);
        const std::size_t on_cpu = line.rfind("OCV/");
        const std::size_t on_device = line.rfind("CUDA/");
        if (label == std::string::npos || on_cpu == std::string::npos ||
            (on_device != std::string::npos && on_device > on_cpu))
            continue;
        for (std::string& layer : layersOfBox(line.substr(label + label_begin.size())))
            result.push_back(std::move(layer));
    }
    return result;
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

std::string cudaHindrance(bool built, int devices, bool supported) {
    if (!built)
        return "OpenCV " + cv::getVersionString() + " was built without CUDA for DNN";
    if (devices < 0)
        return "the NVIDIA driver is missing, or too old for the CUDA that OpenCV was built with";
    if (devices == 0)
        return "no CUDA device was found";
    return supported ? "" : "OpenCV was not built for the architecture of this machine's GPU";
}

CudaProbe probeCuda() {
    CudaProbe probe;
    try {
        const bool built = builtWithCuda();
        const int count = cv::cuda::getCudaEnabledDeviceCount();
        probe.reason = cudaHindrance(built, count, built && count > 0 && listsCuda());
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
    BackendChoice choice = chooseCpu(precision);
    if (builtWithCuda())
        choice.remark = probe.reason;
    return choice;
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

std::vector<std::string> fallbackLayers(irmb::Model& model, const BackendChoice& choice) {
    if (choice.backend != DNN_BACKEND_CUDA)
        return {};
    model.net.setInput(irmb::blankInput(model));
    irmb::forward(model);
    return layersOnCpu(model.net);
}

} // namespace vigil
