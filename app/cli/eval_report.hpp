#pragma once

#include "eval/evaluator.hpp"
#include "output.hpp"
#include "pipeline/pipeline.hpp"

#include <optional>

namespace vigil {

/// What `vigil eval` has to say.
struct EvalReport {
    const LabelledData& data;
    const Evaluation& evaluation;
    double confidence = 0;  ///< that precision and recall are for
    std::size_t images = 0; ///< evaluated
    std::vector<std::string> warnings;
    std::optional<RunStats> stats; ///< of the model's run
};

/// Adds the scores of all classes and of each, and the speed.
void addEvaluation(Json& json, const EvalReport& report);

/// A table of the classes that are labelled or were found, then the speed.
void printEvaluation(std::ostream& out, const EvalReport& report);

} // namespace vigil
