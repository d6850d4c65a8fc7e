#pragma once

#include "detect/load_model.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace vigil {

// Validators. Their messages name the offending value and what is valid.
CLI::Validator wholeNumber(int lowest, int highest);
CLI::Validator realNumber(double lowest, double highest);
CLI::Validator oneOf(std::vector<std::string> names);
CLI::Validator imageSize(); ///< WxH, or one number for a square

// Options of which each command takes those that make sense for it.
void addModelArgument(CLI::App& parser, ModelOptions& options);
void addInputSizeOption(CLI::App& parser, ModelOptions& options);
void addShapeOptions(CLI::App& parser, ModelOptions& options); ///< input size and batch
void addFusionOptions(CLI::App& parser, ModelOptions& options);
void addEngineOptions(CLI::App& parser, ModelOptions& options);
void addNmsOption(CLI::App& parser, double& iou);

/// The model to use when none is named. Throws UsageError that says how to give one.
std::string usualModel();

} // namespace vigil
