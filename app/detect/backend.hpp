#pragma once

#include <irmb_dnn/model.hpp>

#include <string>
#include <vector>

namespace vigil {

/// Where and with which arithmetic a network runs.
struct BackendChoice {
    int backend = cv::dnn::DNN_BACKEND_OPENCV; ///< cv::dnn::Backend
    int target = cv::dnn::DNN_TARGET_CPU;      ///< cv::dnn::Target
    std::string name = "cpu";                  ///< "cpu" or "cuda"
    std::string precision = "fp32";            ///< "fp32", "fp16" or "bf16"
    std::string remark{}; ///< why "auto" left out the CUDA that OpenCV was built with; else empty
};

/// CUDA as this process finds it.
struct CudaProbe {
    bool usable = false;
    std::string reason;               ///< why it is not usable
    std::vector<std::string> devices; ///< names of the devices
};

/// Why CUDA cannot be used; empty if it can. `built`: OpenCV's DNN module has it; `devices`: as
/// OpenCV counts them, negative where the driver fails; `supported`: OpenCV's kernels run on them.
std::string cudaHindrance(bool built, int devices, bool supported);

/// Looks for a CUDA backend in OpenCV's DNN module, then for a device. Never throws.
CudaProbe probeCuda();

/// `backend`: auto, cpu or cuda; `precision`: auto, fp32, fp16 or bf16. "auto" takes CUDA when a
/// device is there, and fp32. Throws cv::Exception with the reason and the remedy when the
/// combination cannot be had.
BackendChoice chooseBackend(const std::string& backend, const std::string& precision = "auto");

/// The engine to read a model with for `choice`: CUDA lives in the classic engine alone.
/// Throws cv::Exception when `asked` is the new engine and `choice` is CUDA.
irmb::Engine chooseEngine(const BackendChoice& choice, irmb::Engine asked = irmb::Engine::Auto);

/// Layers of `model` that `choice` cannot run, or not with these shapes, and that run on the CPU
/// instead, as "name (type)". Always empty on the CPU; elsewhere it runs the network once, on
/// zeros. Throws cv::Exception when that fails.
std::vector<std::string> fallbackLayers(irmb::Model& model, const BackendChoice& choice);

} // namespace vigil
