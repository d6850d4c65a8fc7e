#include "command.hpp"
#include "detect/model_detector.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "output_paths.hpp"
#include "pipeline/pipeline.hpp"
#include "progress.hpp"
#include "render/box_overlay.hpp"
#include "render/info_overlay.hpp"
#include "render/renderer.hpp"
#include "run_pipeline.hpp"
#include "sink/output_file.hpp"
#include "sink/registry.hpp"
#include "sink/summary.hpp"
#include "source/image_source.hpp"
#include "source/paced_source.hpp"
#include "source/source.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <unistd.h>

namespace vigil {
namespace {

namespace fs = std::filesystem;

constexpr int most_detections = 100000;
constexpr int largest_step = 1000000;

struct RunOptions {
    ModelOptions model;
    std::string source;
    std::string output;
    std::map<std::string, std::string> data_files; ///< path by kind of sink
    std::string summary;
    double confidence = 0.25;
    std::vector<std::string> classes;
    int max_detections = 300;
    double nms_iou = 0;
    std::string start;
    std::string end;
    int every = 1;
    std::string mode = "auto";
    bool info = false;
    bool quiet = false;
};

/// Runs `work`; a bad argument that it finds is a mistake in the command line.
template <typename Work>
auto asUsage(Work work) {
    try {
        return work();
    } catch (const cv::Exception& error) {
        if (error.code == cv::Error::StsBadArg)
            throw UsageError(error.err);
        throw;
    }
}

Position positionOf(const std::string& option, const std::string& text) {
    try {
        return parsePosition(text);
    } catch (const cv::Exception& error) {
        throw UsageError(option + ": " + error.err);
    }
}

FrameRange rangeFrom(const RunOptions& options) {
    return asUsage([&] {
        FrameRange range;
        if (!options.start.empty())
            range.start = positionOf("--start", options.start);
        if (!options.end.empty())
            range.end = positionOf("--end", options.end);
        range.every = options.every;
        const bool comparable = range.start.in_seconds == range.end.in_seconds;
        if (comparable && range.end.value <= range.start.value)
            throw UsageError("--end " + options.end + " must come after --start " +
                             (options.start.empty() ? "0" : options.start));
        return range;
    });
}

std::vector<std::string> outputPaths(const RunOptions& options) {
    std::vector<std::string> paths;
    for (const std::string& path : {options.output, options.summary})
        if (!path.empty())
            paths.push_back(path);
    for (const auto& [kind, path] : options.data_files)
        if (!path.empty())
            paths.push_back(path);
    return paths;
}

bool isFolder(const std::string& path) {
    std::error_code error;
    return fs::is_directory(path, error);
}

/// Whether `output` is images in the folder that the images of `source` come from.
bool mixesImages(const std::string& output, const std::string& source) {
    const bool many = isFolder(output) || output.find('%') != std::string::npos;
    const bool stills = isFolder(source) || isImageName(source);
    if (!many || !stills)
        return false;
    const auto folderOf = [](const std::string& path) {
        return isFolder(path) ? fs::path(path) : fs::absolute(path).parent_path();
    };
    std::error_code error;
    return fs::equivalent(folderOf(output), folderOf(source), error);
}

/// Finds out before any work whether the outputs make sense, one by one and together.
void checkOutputs(const RunOptions& options) {
    const std::vector<std::string> paths = outputPaths(options);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        for (const std::string& input : {options.source, options.model.path})
            if (paths[i] != "-" && (sameFile(paths[i], input) || mixesImages(paths[i], input)))
                throw UsageError("'" + paths[i] + "' would overwrite the input '" + input +
                                 "'; choose another output");
        for (std::size_t k = 0; k < i; ++k)
            if (paths[i] == paths[k] || (paths[i] != "-" && sameFile(paths[i], paths[k])))
                throw UsageError("'" + paths[i] + "' is named for two outputs; give each its own");
        checkParent(paths[i]);
    }
    if (options.output == "-" && ::isatty(STDOUT_FILENO))
        throw UsageError(
            "--output - would write a video to the terminal; redirect standard output");
}

Mode modeFor(const std::string& name, const SourceInfo& source) {
    if (name == "auto")
        return source.live ? Mode::RealTime : Mode::Synchronous;
    return name == "realtime" ? Mode::RealTime : Mode::Synchronous;
}

irmb::DecodeOptions decodeOptions(const RunOptions& options, const irmb::ModelInfo& info) {
    irmb::DecodeOptions decode;
    decode.confidence = static_cast<float>(options.confidence);
    decode.max_detections = options.max_detections;
    decode.nms_iou = static_cast<float>(options.nms_iou);
    decode.classes = asUsage([&] { return parseClasses(options.classes, info); });
    return decode;
}

/// How many frames a run will take, for the progress bar; <= 0: unknown.
int64_t expectedFrames(const SourceInfo& source, const FrameRange& range) {
    const double pace = source.fps > 0 ? source.fps : 25;
    const auto frame = [pace](const Position& place) {
        return place.in_seconds ? place.value * pace : place.value;
    };
    double last = frame(range.end);
    if (source.frame_count > 0)
        last = std::min(last, static_cast<double>(source.frame_count));
    if (!std::isfinite(last))
        return -1;
    return static_cast<int64_t>(std::max(0.0, last - frame(range.start))) / range.every;
}

std::vector<std::unique_ptr<Sink>> makeSinks(const RunOptions& options, SinkContext context) {
    std::vector<std::unique_ptr<Sink>> sinks;
    for (const DataSinkKind& kind : dataSinkKinds()) {
        const std::string& path = options.data_files.at(kind.name);
        if (!path.empty())
            sinks.push_back(kind.make(path, context));
    }
    context.source.fps /= options.every;
    if (!options.output.empty())
        sinks.push_back(makePictureSink(options.output, context));
    return sinks;
}

Renderer makeRenderer(const RunOptions& options, const std::vector<std::string>& class_names) {
    Renderer renderer;
    renderer.add(std::make_unique<BoxOverlay>(class_names));
    if (options.info)
        renderer.add(std::make_unique<InfoOverlay>());
    return renderer;
}

void writeSummary(const std::string& path, const std::string& json) {
    OutputFile file(path);
    file.write(json);
    file.close();
}

void report(const RunOptions& options, const RunStats& stats) {
    for (const std::string& warning : stats.warnings)
        std::fprintf(stderr, "vigil: warning: %s\n", warning.c_str());
    if (!options.quiet)
        std::fprintf(stderr, "%s\n", summaryLine(stats).c_str());
}

/// What ran on the CPU although CUDA might have been expected.
std::vector<std::string> cpuWarnings(ModelDetector& detector) {
    std::vector<std::string> warnings;
    if (!detector.backend().remark.empty())
        warnings.push_back("on the CPU: " + detector.backend().remark);
    const std::vector<std::string> layers = detector.fallbackLayers();
    if (!layers.empty())
        warnings.push_back(countText(static_cast<int>(layers.size()), "layer") +
                           " of the network on the CPU: " + printable(join(layers)));
    return warnings;
}

void checkAnyFrame(const RunStats& stats, const std::string& source) {
    if (stats.frames_processed > 0 || stats.cancelled)
        return;
    if (stats.frames_captured > 0)
        CV_Error(cv::Error::StsError, "'" + source +
                                          "' holds no picture that can be decoded; the "
                                          "file is damaged or of an unknown kind");
    CV_Error(cv::Error::StsError, "'" + source +
                                      "' has no frame between --start and --end; "
                                      "choose a range inside it");
}

/// Messages of FFmpeg's libraries would stand between ours; what matters reaches the user as an
/// error or a warning of the run. A level set in the environment is kept.
void quietFfmpeg() {
    ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
}

int run(RunOptions& options) {
    InterruptGuard interrupt;
    const FrameRange range = rangeFrom(options);
    if (options.model.path.empty())
        options.model.path = usualModel();
    checkOutputs(options);
    quietFfmpeg();

    std::unique_ptr<Source> source = openSource(options.source);
    const Mode mode = modeFor(options.mode, source->info());
    if (mode == Mode::RealTime && !source->info().live)
        source = std::make_unique<PacedSource>(std::move(source), range.start);
    LoadedModel loaded = loadModel(options.model);
    ModelDetector detector(std::move(loaded.model), loaded.backend);
    detector.setOptions(decodeOptions(options, detector.info()));

    const SourceInfo& info = source->info();
    const std::vector<std::string>& names = detector.info().class_names;
    const std::vector<std::unique_ptr<Sink>> sinks = asUsage([&] {
        return makeSinks(options, {info, names});
    });
    const Renderer renderer = makeRenderer(options, names);
    PipelineParts parts{*source, detector, &renderer, {}, {}};
    for (const std::unique_ptr<Sink>& sink : sinks)
        parts.sinks.push_back(sink.get());
    RunStats stats = runPipeline(parts, mode, range,
                                 Progress(expectedFrames(info, range), options.quiet), interrupt);
    checkAnyFrame(stats, info.name);
    if (outputPaths(options).empty())
        stats.warnings.push_back(
            "nothing was written; name an output such as --output seen.mp4 or --jsonl seen.jsonl");
    for (std::string& warning : cpuWarnings(detector))
        stats.warnings.push_back(std::move(warning));
    if (!options.summary.empty())
        writeSummary(options.summary, summaryJson(stats, info, mode, detector));
    report(options, stats);
    return ExitOk;
}

void addOutputOptions(CLI::App& parser, RunOptions& options) {
    parser
        .add_option("--output", options.output,
                    "Annotated video (.mp4 .mkv .mov .webm .ts .avi), image, numbered images "
                    "(f_%05d.png) or folder (frames/)")
        ->type_name("FILE");
    for (const DataSinkKind& kind : dataSinkKinds())
        parser.add_option("--" + kind.name, options.data_files[kind.name], kind.description)
            ->type_name("FILE");
    parser.add_option("--summary", options.summary, "Speed and counts of the run as JSON")
        ->type_name("FILE");
    parser.add_flag("--info", options.info, "Write frame number and time into the picture");
}

void addDetectionOptions(CLI::App& parser, RunOptions& options) {
    parser.add_option("--conf", options.confidence, "Lowest score, 0 to 1 [0.25]")
        ->check(realNumber(0, 1))
        ->type_name("SCORE");
    parser.add_option("--classes", options.classes, "Classes to look for, names or ids [all]")
        ->delimiter(',')
        ->type_name("A,B");
    parser.add_option("--max-det", options.max_detections, "Most detections in a frame [300]")
        ->check(wholeNumber(1, most_detections))
        ->type_name("N");
    addNmsOption(parser, options.nms_iou);
}

void addFrameOptions(CLI::App& parser, RunOptions& options) {
    parser
        .add_option("--start", options.start, "First frame: a number from 0, or seconds as 12.5s")
        ->type_name("PLACE");
    parser.add_option("--end", options.end, "Where to stop, not included: a number, or seconds")
        ->type_name("PLACE");
    parser.add_option("--every", options.every, "Take every n-th frame [1]")
        ->check(wholeNumber(1, largest_step))
        ->type_name("N");
    parser
        .add_option("--mode", options.mode,
                    "sync: every frame in order; realtime: the newest frame wins "
                    "[auto: realtime for live sources]")
        ->check(oneOf({"auto", "sync", "realtime"}))
        ->type_name("NAME");
}

constexpr const char* examples = R"(Examples:
  vigil run --model yolov10n.onnx --source street.mp4 --output seen.mp4
  vigil run --source rtsp://camera/stream --jsonl - --classes person,bicycle
  vigil run --source photos/ --output annotated/ --csv found.csv --conf 0.4
  vigil run --source long.mkv --start 60s --end 90s --every 5 --mot det.txt

Without --model: the file that VIGIL_MODEL names, or the model that came with Vigil.
Outputs may be pipes or devices; - is standard output, a video as Matroska. Ctrl-C completes all
files, a second one ends at once.)";

} // namespace

Command addRunCommand(CLI::App& program) {
    auto options = std::make_shared<RunOptions>();
    Command command;
    command.parser = program.add_subcommand("run", "Find objects in a video, images or a camera");
    CLI::App& parser = *command.parser;
    parser.add_option("--model", options->model.path, "ONNX file of a YOLOv10, with iRMBs or not")
        ->type_name("FILE");
    parser
        .add_option("--source", options->source,
                    "Video, image, folder, glob, camera (0 or /dev/video0) or URL")
        ->required()
        ->type_name("WHAT");
    addOutputOptions(parser, *options);
    addDetectionOptions(parser, *options);
    addFrameOptions(parser, *options);
    addEngineOptions(parser, options->model);
    addInputSizeOption(parser, options->model);
    parser.add_flag("--no-fuse", options->model.no_fuse, "Run iRMBs as standard operators");
    parser.add_flag("--quiet", options->quiet, "No progress; warnings and errors alone");
    parser.footer(examples);
    command.run = [options] { return run(*options); };
    return command;
}

} // namespace vigil
