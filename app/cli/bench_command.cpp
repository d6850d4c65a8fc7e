#include "command.hpp"
#include "layer_times.hpp"
#include "model_options.hpp"
#include "npy.hpp"
#include "output.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>
#include <numeric>

namespace vigil {
namespace {

constexpr int max_passes = 1000000;
constexpr int input_seed = 1;

constexpr char examples[] = R"(
Times forward passes alone, after a warm-up: of detectors and of single blocks alike. The input
is random. The table shows the mean time of each type of layer; what CPU acceleration takes over
is one layer in it.

Examples:
  vigil bench yolov10n.onnx --threads 1
  vigil bench yolov10n.onnx --threads 1 --no-fuse
      the same with iRMB blocks as standard operators
  vigil bench yolov10n.onnx --threads 1 --cpu-acceleration off
      by OpenCV alone, which shows the times of single types of layers
  vigil bench dynamic.onnx --input-size 640x384 --iterations 200 --json)";

struct BenchOptions {
    ModelOptions model;
    int iterations = 50;
    int warmup = 5;
    bool json = false;
};

struct Timing {
    double min_ms = 0;
    double mean_ms = 0;
    double median_ms = 0;
    double p95_ms = 0;
};

cv::Mat randomInput(const irmb::Model& model) {
    cv::Mat input = irmb::blankInput(model);
    cv::RNG rng(input_seed);
    rng.fill(input, cv::RNG::UNIFORM, 0, model.byte_input ? 256 : 1);
    return input;
}

/// Milliseconds of one forward pass; handing over the input is not counted.
double timePass(irmb::Model& model, const cv::Mat& input) {
    using Clock = std::chrono::steady_clock;
    model.net.setInput(input);
    const auto start = Clock::now();
    irmb::forward(model);
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Timing summarise(std::vector<double> times_ms) {
    std::sort(times_ms.begin(), times_ms.end());
    const std::size_t count = times_ms.size();
    const double median = (times_ms[(count - 1) / 2] + times_ms[count / 2]) / 2;
    const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(count)));
    const double mean =
        std::accumulate(times_ms.begin(), times_ms.end(), 0.0) / static_cast<double>(count);
    return {times_ms.front(), mean, median, times_ms[rank - 1]};
}

Timing measure(irmb::Model& model, const cv::Mat& input, const BenchOptions& options,
               LayerTimes& layer_times) {
    for (int i = 0; i < options.warmup; ++i)
        timePass(model, input);
    std::vector<double> times_ms;
    for (int i = 0; i < options.iterations; ++i) {
        times_ms.push_back(timePass(model, input));
        layer_times.addPass(model.net);
    }
    return summarise(std::move(times_ms));
}

Json benchJson(const BenchOptions& options, const LoadedModel& loaded, const Timing& timing,
               const std::vector<LayerTypeTime>& layers) {
    Json json = {{"model", options.model.path},      {"input_shape", loaded.model.info.input_shape},
                 {"iterations", options.iterations}, {"warmup", options.warmup},
                 {"min_ms", timing.min_ms},          {"mean_ms", timing.mean_ms},
                 {"median_ms", timing.median_ms},    {"p95_ms", timing.p95_ms}};
    addRuntime(json, loaded);
    addFusion(json, loaded.model.report);
    json["layer_types"] = Json::array();
    for (const LayerTypeTime& layer : layers)
        json["layer_types"].push_back(
            {{"type", layer.type}, {"count", layer.count}, {"ms", layer.ms}});
    return json;
}

void printLayers(const std::vector<LayerTypeTime>& layers) {
    if (layers.empty()) {
        std::cout << "\nOpenCV gives no times of single layers for this backend.\n";
        return;
    }
    double total_ms = 0;
    for (const LayerTypeTime& layer : layers)
        total_ms += layer.ms;
    std::cout << "\nlayer type                 count        ms  share\n" << std::fixed;
    for (const LayerTypeTime& layer : layers)
        std::cout << std::left << std::setw(26) << printable(layer.type) << std::right
                  << std::setw(6) << layer.count << std::setw(10) << std::setprecision(3)
                  << layer.ms << std::setw(6) << std::setprecision(1)
                  << 100 * layer.ms / std::max(total_ms, 1e-9) << "%\n";
}

void printBench(const BenchOptions& options, const LoadedModel& loaded, const Timing& timing,
                const std::vector<LayerTypeTime>& layers) {
    FactList facts;
    facts.add("model", options.model.path + ", " + shapeText(loaded.model.info.input_shape));
    facts.add("iRMB blocks", fusionText(loaded.model.report));
    facts.add("runs on", loaded.backend.name + ", " + loaded.backend.precision + ", " +
                             loaded.model.engine + " engine, " +
                             countText(cv::getNumThreads(), "thread") + ", OpenCV " +
                             cv::getVersionString());
    facts.add("acceleration", accelerationText(loaded.model.acceleration));
    facts.add("passes", std::to_string(options.iterations) + " after " +
                            std::to_string(options.warmup) + " for warm-up");
    facts.add("min", cv::format("%.3f ms", timing.min_ms));
    facts.add("mean", cv::format("%.3f ms, %.1f a second", timing.mean_ms, 1000 / timing.mean_ms));
    facts.add("median", cv::format("%.3f ms", timing.median_ms));
    facts.add("p95", cv::format("%.3f ms", timing.p95_ms));
    facts.print(std::cout);
    printLayers(layers);
    if (loaded.model.acceleration.regions > 0)
        std::cout
            << "\nWhat is accelerated is one layer, CpuRegion; --cpu-acceleration off shows its "
               "layers\nas OpenCV runs them.\n";
}

int bench(const BenchOptions& options) {
    LoadedModel loaded = loadModel(options.model);
    const cv::Mat input = randomInput(loaded.model);
    LayerTimes layer_times;
    const Timing timing = measure(loaded.model, input, options, layer_times);
    const std::vector<LayerTypeTime> layers = layer_times.table();
    if (options.json)
        printJson(benchJson(options, loaded, timing, layers));
    else
        printBench(options, loaded, timing, layers);
    return ExitOk;
}

} // namespace

Command addBenchCommand(CLI::App& program) {
    auto options = std::make_shared<BenchOptions>();
    CLI::App& parser = *program.add_subcommand("bench", "Time forward passes");
    parser.footer(examples);
    addModelArgument(parser, options->model);
    parser.add_option("--iterations", options->iterations, "Timed passes [50]")
        ->check(wholeNumber(1, max_passes))
        ->type_name("N");
    parser.add_option("--warmup", options->warmup, "Passes before them [5]")
        ->check(wholeNumber(0, max_passes))
        ->type_name("N");
    addShapeOptions(parser, options->model);
    addFusionOptions(parser, options->model);
    addEngineOptions(parser, options->model);
    parser.add_flag("--json", options->json, "Print JSON");
    return {&parser, [options] { return bench(*options); }};
}

} // namespace vigil
