#pragma once

#include "detect/backend.hpp"

#include <irmb_dnn/model.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace vigil {

/// How a subcommand reads and runs a model; the values of the options below.
struct ModelOptions {
    std::string path;
    cv::Size input_size; ///< pixels; empty: what the file says
    int batch = 0;       ///< 0: what the file says
    bool no_fuse = false;
    bool no_cut = false;
    std::string engine = "auto";
    std::string backend = "auto";
    std::string precision = "auto";
    int threads = 0; ///< 0: as many as OpenCV takes
};

/// A model set up for the backend that the options ask for.
struct LoadedModel {
    irmb::Model model;
    BackendChoice backend;
};

// Validators. Their messages name the offending value and what is valid.
CLI::Validator wholeNumber(int lowest, int highest);
CLI::Validator realNumber(double lowest, double highest);
CLI::Validator oneOf(std::vector<std::string> names);
CLI::Validator imageSize(); ///< WxH, or one number for a square

// Options of which each command takes those that make sense for it.
void addModelArgument(CLI::App& parser, ModelOptions& options);
void addShapeOptions(CLI::App& parser, ModelOptions& options);
void addFusionOptions(CLI::App& parser, ModelOptions& options);
void addEngineOptions(CLI::App& parser, ModelOptions& options);

irmb::ReadOptions readOptions(const ModelOptions& options, const BackendChoice& backend);

/// Chooses the backend, limits the threads, reads the model and sets backend and target.
LoadedModel loadModel(const ModelOptions& options);

} // namespace vigil
