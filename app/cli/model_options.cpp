#include "model_options.hpp"

#include "command.hpp"
#include "detect/default_model.hpp"

#include <opencv2/core.hpp>

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <sstream>

namespace vigil {
namespace {

constexpr int max_side = 16384; // pixels
constexpr int max_threads = 1024;
constexpr int max_batch = 1024;

/// The whole text as a number, or false.
bool parseWhole(const std::string& text, long long& value) {
    if (text.empty() || std::isspace(static_cast<unsigned char>(text.front())))
        return false;
    char* end = nullptr;
    errno = 0;
    value = std::strtoll(text.c_str(), &end, 10);
    return errno == 0 && end == text.c_str() + text.size();
}

bool parseReal(const std::string& text, double& value) {
    if (text.empty() || std::isspace(static_cast<unsigned char>(text.front())))
        return false;
    char* end = nullptr;
    value = std::strtod(text.c_str(), &end);
    return std::isfinite(value) && end == text.c_str() + text.size();
}

bool parseSide(const std::string& text, int& side) {
    long long value = 0;
    if (!parseWhole(text, value) || value < 1 || value > max_side)
        return false;
    side = static_cast<int>(value);
    return true;
}

bool parseSize(const std::string& text, cv::Size& size) {
    const std::size_t cross = text.find_first_of("xX");
    if (cross == std::string::npos)
        return parseSide(text, size.width) && (size.height = size.width, true);
    return parseSide(text.substr(0, cross), size.width) &&
           parseSide(text.substr(cross + 1), size.height);
}

std::string join(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

CLI::Validator wholeNumber(int lowest, int highest) {
    const std::string range = std::to_string(lowest) + " to " + std::to_string(highest);
    return CLI::Validator(
        [=](std::string& text) {
            long long value = 0;
            if (parseWhole(text, value) && value >= lowest && value <= highest)
                return std::string();
            return "'" + text + "' is not a whole number from " + range;
        },
        "", "whole number");
}

CLI::Validator realNumber(double lowest, double highest) {
    return CLI::Validator(
        [=](std::string& text) {
            double value = 0;
            if (parseReal(text, value) && value >= lowest && value <= highest)
                return std::string();
            std::ostringstream message;
            message << "'" << text << "' is not a number from " << lowest << " to " << highest;
            return message.str();
        },
        "", "number");
}

CLI::Validator oneOf(std::vector<std::string> names) {
    return CLI::Validator(
        [names = std::move(names)](std::string& text) {
            for (const std::string& name : names)
                if (text == name)
                    return std::string();
            return "'" + text + "' is not one of " + join(names);
        },
        "", "choice");
}

CLI::Validator imageSize() {
    return CLI::Validator(
        [](std::string& text) {
            cv::Size size;
            if (parseSize(text, size))
                return std::string();
            return "'" + text + "' is not a size like 640x480 with sides from 1 to " +
                   std::to_string(max_side);
        },
        "", "image size");
}

void addModelArgument(CLI::App& parser, ModelOptions& options) {
    parser.add_option("MODEL", options.path, "ONNX file")->required()->type_name(" ");
}

void addInputSizeOption(CLI::App& parser, ModelOptions& options) {
    parser
        .add_option_function<std::string>(
            "--input-size",
            [&options](const std::string& text) { parseSize(text, options.input_size); },
            "Input size in pixels, for models that leave it open")
        ->check(imageSize())
        ->type_name("WxH");
}

void addShapeOptions(CLI::App& parser, ModelOptions& options) {
    addInputSizeOption(parser, options);
    parser.add_option("--batch", options.batch, "Images per pass, for models that leave it open")
        ->check(wholeNumber(1, max_batch))
        ->type_name("N");
}

void addFusionOptions(CLI::App& parser, ModelOptions& options) {
    parser.add_flag("--no-fuse", options.no_fuse, "Run iRMBs as standard operators");
    parser.add_flag("--no-cut", options.no_cut, "Keep the NMS-free tail of a YOLOv10");
}

void addEngineOptions(CLI::App& parser, ModelOptions& options) {
    parser.add_option("--engine", options.engine, "Engine of OpenCV: auto, new or classic [auto]")
        ->check(oneOf({"auto", "new", "classic"}))
        ->type_name("NAME");
    parser.add_option("--backend", options.backend, "Where to run: auto, cpu or cuda [auto]")
        ->check(oneOf({"auto", "cpu", "cuda"}))
        ->type_name("NAME");
    parser
        .add_option("--precision", options.precision,
                    "Arithmetic: auto, fp32, fp16 or bf16 [auto: fp32]")
        ->check(oneOf({"auto", "fp32", "fp16", "bf16"}))
        ->type_name("NAME");
    parser
        .add_option("--cpu-acceleration", options.cpu_acceleration,
                    "Vigil's kernels and oneDNN in place of OpenCV's layers: auto or off [auto]")
        ->check(oneOf({"auto", "off"}))
        ->type_name("NAME");
    parser.add_option("--threads", options.threads, "Threads for inference [all cores]")
        ->check(wholeNumber(1, max_threads))
        ->type_name("N");
}

void addNmsOption(CLI::App& parser, double& iou) {
    parser
        .add_option("--nms", iou,
                    "Boxes of one class with a higher IoU are one object; 1: never [what the model "
                    "says, else 0.45 for heads that need it and never for NMS-free ones]")
        ->check(realNumber(0, 1))
        ->type_name("IOU");
}

std::string usualModel() {
    std::string model = defaultModel();
    if (model.empty())
        throw UsageError("no model: give one with --model FILE.onnx, or set VIGIL_MODEL");
    return model;
}

} // namespace vigil
