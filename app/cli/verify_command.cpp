#include "command.hpp"
#include "compare.hpp"
#include "model_options.hpp"
#include "npy.hpp"
#include "output.hpp"

#include <irmb_dnn/detection.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

namespace vigil {
namespace {

constexpr double relative_tolerance = 2e-5; // of max(1, largest expected value)
constexpr double score_tolerance = 1e-4;    // of detections, without --tolerance
constexpr double max_tolerance = 1e9;

constexpr char examples[] = R"(
Runs a model and compares its output with a reference, for example PyTorch's. Size and batch
come from the input. Prints JSON on standard output and ends with 0 within the tolerance, with
1 beyond it.

Examples:
  vigil verify block.onnx --input x.npy --expect y.npy
      a single block; the reference may be float32 or float64
  vigil verify yolov10n.onnx --input x.npy --expect y.npy --tolerance 0.01
      a detector; rows of [B, K, 6] are compared as sets
  vigil verify block.onnx --input x.npy --expect y.npy --no-fuse --engine classic
      the same with standard operators only, in OpenCV's classic engine)";

struct VerifyOptions {
    ModelOptions model;
    std::string input;
    std::string expect;
    std::optional<double> tolerance;
    bool json_only = false;
};

/// What was compared and the verdict.
struct Verdict {
    Comparison comparison;
    std::string compared_as; ///< "elements" or "detections"
    double tolerance = 0;
    double score_tolerance = 0; ///< of detections
    bool ok = false;
};

NpyArray readInput(const std::string& path) {
    NpyArray input = readNpy(path);
    if (!input.isFloat32())
        CV_Error(cv::Error::StsBadArg,
                 path + ": the input is float64; save it with array.astype('float32')");
    if (input.shape.size() != 4)
        CV_Error(cv::Error::StsBadArg, path + ": the input is " + shapeText(input.shape) +
                                           "; it must have 4 dimensions, [B, C, H, W]");
    return input;
}

void checkInput(const NpyArray& input, const VerifyOptions& options, const irmb::ModelInfo& info) {
    if (info.input_shape != input.shape)
        CV_Error(cv::Error::StsUnmatchedSizes,
                 options.model.path + " takes " + shapeText(info.input_shape) + ", but " +
                     options.input + " is " + shapeText(input.shape) +
                     "; give an input of that shape, or export the model for this one");
}

std::vector<int> shapeOf(const cv::Mat& blob) {
    return {blob.size.p, blob.size.p + blob.dims};
}

/// All outputs of one forward pass.
std::vector<cv::Mat> outputsFor(irmb::Model& model, const NpyArray& input) {
    model.net.setInput(input.blob());
    std::vector<cv::Mat> outputs = irmb::forward(model);
    for (cv::Mat& output : outputs) {
        if (output.depth() != CV_32F)
            output.convertTo(output, CV_32F);
        if (!output.isContinuous())
            output = output.clone();
    }
    return outputs;
}

bool isEndToEnd(const std::vector<int>& shape) {
    return shape.size() == 3 && shape[2] == 6;
}

/// The output that the reference is for.
struct Selected {
    cv::Mat output;
    bool is_rows = false; ///< [B, K, 6], to be compared as a set
};

/// The rows that a one-to-one head leads to. K is that of the tail that was cut, and the
/// reference's where the file never had one.
cv::Mat rowsOfHead(const cv::Mat& output, const NpyArray& expected, const irmb::ModelInfo& info) {
    return irmb::endToEnd(output, info.tail_cut ? info.max_detections : expected.shape[1]);
}

/// Takes the output with the reference's shape. Rows [B, K, 6] are made from a one-to-one head.
Selected selectOutput(const std::vector<cv::Mat>& outputs, const NpyArray& expected,
                      const VerifyOptions& options, const irmb::ModelInfo& info) {
    std::vector<std::string> shapes;
    for (const cv::Mat& output : outputs) {
        shapes.push_back(shapeText(shapeOf(output)));
        if (shapeOf(output) == expected.shape)
            return {output, info.head == irmb::HeadKind::EndToEnd && isEndToEnd(expected.shape)};
        if (info.head != irmb::HeadKind::RawXyxy || !isEndToEnd(expected.shape))
            continue;
        const cv::Mat rows = rowsOfHead(output, expected, info);
        shapes.push_back(shapeText(shapeOf(rows)));
        if (shapeOf(rows) == expected.shape)
            return {rows, true};
    }
    CV_Error(cv::Error::StsUnmatchedSizes, options.model.path + " gives " + join(shapes, " or ") +
                                               ", but " + options.expect + " is " +
                                               shapeText(expected.shape));
}

Verdict judge(const Selected& actual, const NpyArray& expected, const VerifyOptions& options,
              const irmb::ModelInfo& info) {
    const double largest = largestFinite(expected);
    Verdict verdict;
    verdict.tolerance = options.tolerance.value_or(relative_tolerance * std::max(1.0, largest));
    verdict.compared_as = "elements";
    if (actual.is_rows) {
        verdict.compared_as = "detections";
        verdict.score_tolerance =
            options.tolerance.value_or(std::min(score_tolerance, verdict.tolerance));
        verdict.comparison = compareDetections(actual.output, expected, verdict.tolerance);
        verdict.ok = verdict.comparison.rows->unmatched == 0 &&
                     verdict.comparison.rows->score_err <= verdict.score_tolerance;
    } else {
        const bool raw = info.head != irmb::HeadKind::None && expected.shape.size() == 3;
        verdict.comparison = raw ? compareRawHead(actual.output, expected)
                                 : compareElements(actual.output, expected);
        verdict.ok = true;
    }
    verdict.ok = verdict.ok && verdict.comparison.max_abs_err <= verdict.tolerance;
    return verdict;
}

Json verdictJson(const Verdict& verdict) {
    const Comparison& comparison = verdict.comparison;
    Json json = {{"ok", verdict.ok},
                 {"max_abs_err", comparison.max_abs_err},
                 {"max_rel_err", comparison.max_rel_err},
                 {"ref_abs_max", comparison.ref_abs_max},
                 {"tolerance", verdict.tolerance},
                 {"compared_as", verdict.compared_as}};
    if (comparison.rows) {
        json["box_err_px"] = comparison.rows->box_err_px;
        json["score_err"] = comparison.rows->score_err;
    }
    if (verdict.compared_as == "detections") {
        json["score_tolerance"] = verdict.score_tolerance;
        json["rows_compared"] = comparison.rows->compared;
        json["rows_unmatched"] = comparison.rows->unmatched;
    }
    return json;
}

void printVerdict(const Verdict& verdict, const VerifyOptions& options, const LoadedModel& loaded) {
    const Comparison& comparison = verdict.comparison;
    std::cerr << options.model.path << ": " << (verdict.ok ? "equal" : "DIFFERENT")
              << ", largest error " << comparison.max_abs_err << ", tolerance "
              << verdict.tolerance;
    if (comparison.rows)
        std::cerr << " (boxes " << comparison.rows->box_err_px << " px, scores "
                  << comparison.rows->score_err << ')';
    if (verdict.compared_as == "detections")
        std::cerr << ", " << countText(comparison.rows->unmatched, "row") << " unmatched";
    std::cerr << "; " << fusionText(loaded.model.report) << "; " << loaded.model.engine
              << " engine on " << loaded.backend.name
              << "; acceleration: " << accelerationText(loaded.model.acceleration) << '\n';
}

int verify(const VerifyOptions& options) {
    const NpyArray input = readInput(options.input);
    const NpyArray expected = readNpy(options.expect);
    ModelOptions model_options = options.model;
    model_options.input_size = {input.shape[3], input.shape[2]};
    model_options.batch = input.shape[0];
    model_options.plain_tensors = true;
    LoadedModel loaded = loadModel(model_options);
    checkInput(input, options, loaded.model.info);
    const Selected actual =
        selectOutput(outputsFor(loaded.model, input), expected, options, loaded.model.info);
    const Verdict verdict = judge(actual, expected, options, loaded.model.info);

    Json json = {{"model", options.model.path}};
    json.update(verdictJson(verdict));
    json["input_shape"] = input.shape;
    json["output_shape"] = expected.shape;
    addFusion(json, loaded.model.report);
    addRuntime(json, loaded);
    printJson(json);
    if (!options.json_only)
        printVerdict(verdict, options, loaded);
    return verdict.ok ? ExitOk : ExitFailure;
}

} // namespace

Command addVerifyCommand(CLI::App& program) {
    auto options = std::make_shared<VerifyOptions>();
    CLI::App& parser = *program.add_subcommand("verify", "Compare a model with reference outputs");
    parser.footer(examples);
    addModelArgument(parser, options->model);
    parser.add_option("--input", options->input, "Input, float32 [B, C, H, W]")
        ->required()
        ->type_name("X.npy");
    parser.add_option("--expect", options->expect, "Reference output, float32 or float64")
        ->required()
        ->type_name("Y.npy");
    parser
        .add_option("--tolerance", options->tolerance,
                    "Largest absolute error [2e-5 x max(1, largest |reference|); scores of "
                    "[B, K, 6] also 1e-4]")
        ->check(realNumber(0, max_tolerance))
        ->type_name("T");
    addFusionOptions(parser, options->model);
    addEngineOptions(parser, options->model);
    parser.add_flag("--json", options->json_only, "JSON alone, without the line on standard error");
    return {&parser, [options] { return verify(*options); }};
}

} // namespace vigil
