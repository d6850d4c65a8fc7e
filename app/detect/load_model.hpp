#pragma once

#include "backend.hpp"

#include <irmb_dnn/model.hpp>

#include <opencv2/core/types.hpp>

#include <string>

namespace vigil {

/// How to read and run a model: what the options of the command line and of the desktop app say.
struct ModelOptions {
    std::string path;
    cv::Size input_size; ///< pixels; empty: what the file says
    int batch = 0;       ///< 0: what the file says
    bool no_fuse = false;
    bool no_cut = false;
    std::string engine = "auto";           ///< auto, new or classic
    std::string backend = "auto";          ///< auto, cpu or cuda
    std::string precision = "auto";        ///< auto, fp32, fp16 or bf16
    std::string cpu_acceleration = "auto"; ///< auto or off
    bool plain_tensors = false; ///< input and output as in the file, whatever the device could do
    int threads = 0;            ///< 0: as many as OpenCV takes
};

/// A model set up for the backend that the options ask for.
struct LoadedModel {
    irmb::Model model;
    BackendChoice backend;
};

irmb::ReadOptions readOptions(const ModelOptions& options, const BackendChoice& backend);

/// Chooses the backend, limits the threads, reads the model and sets backend and target.
/// Throws cv::Exception that names the file or the option and says what to do.
LoadedModel loadModel(const ModelOptions& options);

} // namespace vigil
