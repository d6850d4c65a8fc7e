#include "command.hpp"
#include "model_options.hpp"
#include "npy.hpp"
#include "output.hpp"
#include "output_paths.hpp"

#include <filesystem>
#include <iostream>
#include <memory>

namespace vigil {
namespace {

constexpr char examples[] = R"(
Writes a model as Vigil would run it: each iRMB one node irmb::iRMB, the NMS-free tail of a YOLOv10
cut, all shapes static. Any OpenCV from 4.10 on reads the result once irmb::registerLayers() was
called. With --expand no iRMB becomes a node, and nodes irmb::iRMB that the file has become standard
ONNX operators that compute the same, for OpenCV without Vigil and for other programs.

Examples:
  vigil convert yolov10n.onnx fused.onnx
  vigil convert fused.onnx standard.onnx --expand
      for programs that do not know irmb::iRMB
  vigil convert yolov10n.onnx standard.onnx --expand --no-cut
      standard operators with the tail, for programs that expect rows of detections
  vigil convert dynamic.onnx fused.onnx --input-size 640x384 --batch 2)";

struct ConvertOptions {
    ModelOptions model;
    std::string output;
    bool expand = false;
    bool json = false;
};

void checkOutput(const ConvertOptions& options) {
    std::error_code error;
    if (std::filesystem::equivalent(options.model.path, options.output, error))
        throw UsageError("OUT " + options.output + " is the file MODEL; give another name");
    checkParent(options.output);
}

void printSummary(const ConvertOptions& options, const irmb::Model& model) {
    FactList facts;
    facts.add("written", options.output);
    facts.add("input", printable(model.info.input_name) + " " + shapeText(model.info.input_shape));
    facts.add("tail", model.info.tail_cut ? "cut" : "as it was");
    facts.add(options.expand ? "iRMBs, expanded" : "iRMBs", fusionText(model.report));
    facts.print(std::cout);
    printFusion(std::cout, model.report);
}

int convert(const ConvertOptions& options) {
    checkOutput(options);
    irmb::ReadOptions read = readOptions(options.model, {});
    read.fusion = options.expand ? irmb::Fusion::Off : irmb::Fusion::Auto;
    const irmb::Model model = irmb::convertModel(options.model.path, options.output, read);
    if (!options.json) {
        printSummary(options, model);
        return ExitOk;
    }
    Json json = {{"input", options.model.path},           {"output", options.output},
                 {"input_shape", model.info.input_shape}, {"output_shape", model.info.output_shape},
                 {"tail_cut", model.info.tail_cut},       {"expanded", options.expand}};
    addFusion(json, model.report);
    printJson(json);
    return ExitOk;
}

} // namespace

Command addConvertCommand(CLI::App& program) {
    auto options = std::make_shared<ConvertOptions>();
    CLI::App& parser = *program.add_subcommand(
        "convert", "Write a model with iRMBs as single nodes, or as standard operators");
    parser.footer(examples);
    addModelArgument(parser, options->model);
    parser.add_option("OUT", options->output, "ONNX file to write")->required()->type_name(" ");
    parser.add_flag("--expand", options->expand,
                    "Write iRMBs as standard ONNX operators, not as the node irmb::iRMB");
    parser.add_flag("--no-cut", options->model.no_cut, "Keep the NMS-free tail of a YOLOv10");
    addShapeOptions(parser, options->model);
    parser.add_flag("--json", options->json, "Print JSON");
    return {&parser, [options] { return convert(*options); }};
}

} // namespace vigil
