#include "command.hpp"
#include "detect/version.hpp"
#include "model_options.hpp"
#include "npy.hpp"
#include "output.hpp"

#include <irmb_dnn/acceleration.hpp>

#include <filesystem>
#include <iostream>
#include <memory>

namespace vigil {
namespace {

constexpr std::size_t max_shown = 60; // characters of a metadata value on the terminal

constexpr char examples[] = R"(
Shows what a model is, what became of its iRMB blocks, and what would run it here.

Examples:
  vigil info yolov10n.onnx
  vigil info dynamic.onnx --input-size 640x384
      a model that leaves its input size open
  vigil info yolov10n.onnx --json)";

struct InfoOptions {
    ModelOptions model;
    bool json = false;
};

std::string bytesText(std::uintmax_t bytes) {
    return bytes < 1000000 ? cv::format("%.1f kB", bytes / 1e3)
                           : cv::format("%.1f MB", bytes / 1e6);
}

std::uintmax_t fileBytes(const std::string& path) {
    std::error_code error;
    const std::uintmax_t bytes = std::filesystem::file_size(path, error);
    return error ? 0 : bytes;
}

/// Whether the metadata ask for NMS: an IoU of 1 removes nothing.
bool asksForNms(const irmb::ModelInfo& info) {
    return info.nms_iou > 0 && info.nms_iou < 1;
}

std::string headText(const irmb::ModelInfo& info) {
    switch (info.head) {
    case irmb::HeadKind::RawXyxy:
        if (info.tail_cut)
            return "YOLOv10, one-to-one head; its NMS-free tail was cut";
        return asksForNms(info) ? "YOLOv10, corners and one-to-many scores, which need NMS"
                                : "YOLOv10, one-to-one head: corners and scores";
    case irmb::HeadKind::RawCxcywh:
        return "centres, sizes and scores, needs NMS";
    case irmb::HeadKind::EndToEnd:
        return "end to end: corners, score, class";
    case irmb::HeadKind::None:
        break;
    }
    return "not a known detector";
}

std::string namesText(const std::vector<std::string>& names) {
    std::vector<std::string> numbered;
    for (std::size_t i = 0; i < names.size(); ++i)
        numbered.push_back(std::to_string(i) + " " + names[i]);
    return printable(join(numbered));
}

std::string classesText(const irmb::ModelInfo& info) {
    if (info.num_classes == 0)
        return "unknown";
    return std::to_string(info.num_classes) +
           (info.class_names.empty() ? ", without names" : ": " + namesText(info.class_names));
}

std::string shortened(const std::string& text) {
    const std::string safe = printable(text);
    return safe.size() <= max_shown ? safe : safe.substr(0, max_shown) + "...";
}

std::string fallbackText(const std::vector<std::string>& layers) {
    return layers.empty() ? "none" : std::to_string(layers.size()) + ": " + printable(join(layers));
}

std::string cudaLayersText(const irmb::Model& model) {
    return countText(model.report.whole() + model.report.core(), "iRMB") + " and " +
           countText(model.attention_layers, "attention") + " as layers of their own, input " +
           (model.byte_input ? "8-bit pixels" : "float32") + ", output " +
           (model.candidates > 0 ? "the best candidates" : "as it is");
}

std::string cudaText(const CudaProbe& cuda) {
    return cuda.usable ? join(cuda.devices) : "no: " + cuda.reason;
}

Json infoJson(const InfoOptions& options, LoadedModel& loaded) {
    const irmb::ModelInfo& info = loaded.model.info;
    Json json = {{"model", options.model.path},
                 {"file_bytes", fileBytes(options.model.path)},
                 {"input_name", info.input_name},
                 {"input_shape", info.input_shape},
                 {"output_names", info.output_names},
                 {"output_shape", info.output_shape},
                 {"head", headName(info.head)},
                 {"tail_cut", info.tail_cut},
                 {"max_detections", info.max_detections},
                 {"nms_iou", info.nms_iou},
                 {"num_classes", info.num_classes},
                 {"class_names", info.class_names},
                 {"stride", info.stride},
                 {"opset", info.opset},
                 {"producer", info.producer}};
    addFusion(json, loaded.model.report);
    addRuntime(json, loaded);
    json["fallback_layers"] = fallbackLayers(loaded.model, loaded.backend);
    json["cuda"] = cudaText(probeCuda());
    json["bf16"] = irmb::accelerationSupport().bfloat16;
    json["cpu_features"] = cpuFeatures();
    json["metadata"] = info.metadata;
    return json;
}

void printModel(const InfoOptions& options, const irmb::ModelInfo& info) {
    FactList facts;
    facts.add("model", options.model.path + ", " + bytesText(fileBytes(options.model.path)));
    facts.add("written by", (info.producer.empty() ? "unknown" : printable(info.producer)) +
                                ", opset " + std::to_string(info.opset));
    facts.add("input", printable(info.input_name) + " " + shapeText(info.input_shape));
    facts.add("output", printable(join(info.output_names)) +
                            (info.output_shape.empty() ? "" : " " + shapeText(info.output_shape)));
    facts.add("head", headText(info));
    if (info.head != irmb::HeadKind::None) {
        facts.add("classes", classesText(info));
        if (asksForNms(info))
            facts.add("NMS", cv::format("at IoU %g", info.nms_iou));
        facts.add("stride", info.stride > 0 ? std::to_string(info.stride) : "unknown");
    }
    facts.print(std::cout);
}

void printRuntime(LoadedModel& loaded) {
    FactList facts;
    facts.add("engine", loaded.model.engine);
    facts.add("backend", loaded.backend.name + ", " + loaded.backend.precision + ", " +
                             countText(cv::getNumThreads(), "thread"));
    facts.add("acceleration", accelerationText(loaded.model.acceleration));
    if (loaded.backend.name == "cuda")
        facts.add("CUDA layers", cudaLayersText(loaded.model));
    facts.add("CPU fallback", fallbackText(fallbackLayers(loaded.model, loaded.backend)));
    facts.add("cuda", cudaText(probeCuda()));
    facts.add("bf16", bfloat16Text());
    facts.add("OpenCV", cv::getVersionString() + ", " + join(cpuFeatures(), " "));
    facts.print(std::cout);
}

void printMetadata(const irmb::ModelInfo& info) {
    FactList facts;
    for (const auto& [name, value] : info.metadata)
        facts.add("  " + shortened(name), shortened(value));
    std::cout << "\nmetadata\n";
    facts.print(std::cout);
}

int showInfo(const InfoOptions& options) {
    LoadedModel loaded = loadModel(options.model);
    if (options.json) {
        printJson(infoJson(options, loaded));
        return ExitOk;
    }
    printModel(options, loaded.model.info);
    std::cout << "\niRMB blocks: " << fusionText(loaded.model.report) << '\n';
    printFusion(std::cout, loaded.model.report);
    std::cout << '\n';
    printRuntime(loaded);
    if (!loaded.model.info.metadata.empty())
        printMetadata(loaded.model.info);
    return ExitOk;
}

} // namespace

Command addInfoCommand(CLI::App& program) {
    auto options = std::make_shared<InfoOptions>();
    CLI::App& parser = *program.add_subcommand("info", "Show what a model is and what runs it");
    parser.footer(examples);
    addModelArgument(parser, options->model);
    addShapeOptions(parser, options->model);
    addFusionOptions(parser, options->model);
    addEngineOptions(parser, options->model);
    parser.add_flag("--json", options->json, "Print JSON");
    return {&parser, [options] { return showInfo(*options); }};
}

} // namespace vigil
