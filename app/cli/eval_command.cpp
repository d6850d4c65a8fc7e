#include "command.hpp"
#include "detect/model_detector.hpp"
#include "eval/class_map.hpp"
#include "eval/coco_data.hpp"
#include "eval/evaluator.hpp"
#include "eval_report.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output.hpp"
#include "output_paths.hpp"
#include "run_pipeline.hpp"
#include "source/image_source.hpp"

#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

namespace vigil {
namespace {

constexpr double lowest_score = 0.001; // detections below change no average precision that matters
constexpr int most_detections = 100000;

constexpr char examples[] = R"(
Average precision by COCO's rules, and precision and recall at one confidence (IoU 0.5). Data is a
folder with images/ and labels/ (YOLO rows), a data.yaml, or COCO annotations. Classes of model and
data are matched by name where both have names, else by number.

Examples:
  vigil eval --model yolov10n.onnx --data street/
      images/val with labels/val, or all of images/ where there are no splits
  vigil eval --model yolov10n.onnx --data coco128/data.yaml --split train --json
  vigil eval --model street.onnx --data coco/annotations/instances_val2017.json --images val2017/
  vigil eval --model street.onnx --data coco128/ --names coco
      labels with COCO's 80 classes, without a data.yaml
  vigil eval --detections found.json --data instances_val2017.json
      judges what another program found, in COCO's results format; --save writes it)";

struct EvalOptions {
    ModelOptions model;
    DataLocation data;
    double confidence = 0.25;
    int max_detections = 300;
    double nms_iou = 0;
    std::string detections;
    std::string save;
    bool json = false;
    bool quiet = false;
};

/// Data, and how a model or another program did on it.
struct Judgement {
    LabelledData data;
    ClassMap map;
    std::optional<Evaluator> evaluator;
    Detections found;
    std::optional<RunStats> stats;
    std::vector<std::string> warnings;
    Json runtime = Json::object(); ///< what ran, for JSON
    std::string runtime_text;      ///< the same for people

    void judge(std::size_t image, cv::Size size) {
        std::vector<LabelledObject> objects = objectsInPixels(data.images[image], size);
        const auto unknown = [&](const LabelledObject& object) {
            return !map.known[static_cast<std::size_t>(object.class_index)];
        };
        objects.erase(std::remove_if(objects.begin(), objects.end(), unknown), objects.end());
        evaluator->addImage(objects, found[image]);
    }
};

/// Judges the detections of a pipeline frame by frame.
class JudgingSink : public Sink {
public:
    explicit JudgingSink(Judgement& judgement) : judgement_(judgement) {}

    void write(const FrameResult& result) override {
        const auto image = static_cast<std::size_t>(result.frame.index);
        std::vector<ScoredBox>& found = judgement_.found[image];
        const std::vector<int>& indices = judgement_.map.data_index;
        for (const irmb::Detection& detection : result.detections) {
            const auto id = static_cast<std::size_t>(detection.class_id);
            if (id < indices.size() && indices[id] >= 0)
                found.push_back({indices[id], detection.score, cv::Rect2d(detection.box)});
        }
        judgement_.judge(image, result.frame.image.size());
    }

    void finish() override {}

private:
    Judgement& judgement_;
};

std::vector<std::filesystem::path> imageFiles(const LabelledData& data) {
    std::vector<std::filesystem::path> files;
    for (const LabelledImage& image : data.images) {
        if (!std::filesystem::exists(image.file))
            CV_Error(cv::Error::StsObjectNotFound,
                     "'" + data.name + "' names the image '" + image.file.string() +
                         "', which does not exist; --images names the folder of COCO's images");
        files.push_back(image.file);
    }
    return files;
}

irmb::DecodeOptions decodeOptions(const EvalOptions& options) {
    irmb::DecodeOptions decode;
    decode.confidence = static_cast<float>(std::min(lowest_score, options.confidence));
    decode.max_detections = options.max_detections;
    decode.nms_iou = static_cast<float>(options.nms_iou);
    return decode;
}

void start(Judgement& judgement, const EvalOptions& options) {
    judgement.evaluator.emplace(static_cast<int>(judgement.data.classes.size()),
                                options.confidence);
    judgement.warnings = judgement.data.warnings;
    judgement.warnings.insert(judgement.warnings.end(), judgement.map.warnings.begin(),
                              judgement.map.warnings.end());
}

/// Runs the model over all images.
void judgeModel(Judgement& judgement, const EvalOptions& options, InterruptGuard& interrupt) {
    ImageSource source(judgement.data.name, imageFiles(judgement.data));
    LoadedModel loaded = loadModel(options.model);
    addRuntime(judgement.runtime, loaded);
    addFusion(judgement.runtime, loaded.model.report);
    judgement.runtime_text = loaded.backend.name + ", " + loaded.backend.precision + ", " +
                             loaded.model.engine + " engine; " + fusionText(loaded.model.report);
    ModelDetector detector(std::move(loaded.model), loaded.backend);
    detector.setOptions(decodeOptions(options));
    const irmb::ModelInfo& info = detector.info();
    adoptClasses(judgement.data, info.class_names, info.num_classes);
    judgement.map = mapClasses(info.class_names, info.num_classes, judgement.data);
    judgement.found.resize(judgement.data.images.size());
    start(judgement, options);

    JudgingSink sink(judgement);
    PipelineParts parts{source, detector, nullptr, {&sink}, {}};
    const auto count = static_cast<int64_t>(judgement.data.images.size());
    const bool quiet = options.quiet || options.json;
    judgement.stats = runPipeline(parts, Mode::Synchronous, {}, Progress(count, quiet), interrupt);
    judgement.warnings.insert(judgement.warnings.end(), judgement.stats->warnings.begin(),
                              judgement.stats->warnings.end());
}

/// The size of an image that the labels do not tell.
cv::Size decodedSize(const LabelledImage& image) {
    const cv::Size size = cv::imread(image.file.string(), cv::IMREAD_COLOR).size();
    if (size.empty())
        CV_Error(cv::Error::StsError, "'" + image.file.string() + "' cannot be read as an image");
    return size;
}

void judgeDetections(Judgement& judgement, const EvalOptions& options) {
    judgement.map = sameClasses(judgement.data);
    judgement.found = readCocoResults(options.detections, judgement.data);
    start(judgement, options);
    const std::vector<LabelledImage>& images = judgement.data.images;
    for (std::size_t i = 0; i < images.size(); ++i)
        judgement.judge(i, images[i].size.empty() ? decodedSize(images[i]) : images[i].size);
}

std::size_t imagesJudged(const Judgement& judgement) {
    return judgement.stats ? static_cast<std::size_t>(judgement.stats->frames_processed)
                           : judgement.data.images.size();
}

void print(const EvalOptions& options, const Judgement& judgement, const EvalReport& report) {
    const std::string& judged =
        options.detections.empty() ? options.model.path : options.detections;
    if (options.json) {
        Json json = {{options.detections.empty() ? "model" : "detections", judged},
                     {"data", judgement.data.name}};
        addEvaluation(json, report);
        json.update(judgement.runtime);
        printJson(json);
        return;
    }
    FactList facts;
    facts.add(options.detections.empty() ? "model" : "detections", printable(judged));
    facts.add("data", printable(judgement.data.name) + ", " +
                          countText(static_cast<int>(report.images), "image"));
    if (!judgement.runtime_text.empty())
        facts.add("runs on", judgement.runtime_text);
    facts.add("confidence", cv::format("%g, for precision and recall", options.confidence));
    facts.print(std::cout);
    std::cout << '\n';
    printEvaluation(std::cout, report);
}

void checkOptions(const EvalOptions& options) {
    if (!options.detections.empty() && !options.model.path.empty())
        throw UsageError("--model and --detections exclude each other; choose what to judge");
    if (options.save.empty())
        return;
    for (const std::string& input :
         {options.model.path, options.data.path, options.detections, options.data.names})
        if (!input.empty() && sameFile(options.save, input))
            throw UsageError("'" + options.save +
                             "' would overwrite an input; choose another file");
    checkParent(options.save);
}

int evaluate(EvalOptions& options) {
    InterruptGuard interrupt;
    checkOptions(options);
    if (options.detections.empty() && options.model.path.empty())
        options.model.path = usualModel();
    Judgement judgement;
    judgement.data = openData(options.data);
    if (options.detections.empty())
        judgeModel(judgement, options, interrupt);
    else
        judgeDetections(judgement, options);
    if (judgement.stats && judgement.stats->cancelled)
        CV_Error(cv::Error::StsError, "stopped before all images were seen: no result");

    const Evaluation evaluation = judgement.evaluator->result();
    const EvalReport report{judgement.data,          evaluation,         options.confidence,
                            imagesJudged(judgement), judgement.warnings, judgement.stats};
    if (!options.save.empty())
        writeCocoResults(options.save, judgement.found, judgement.data);
    if (!options.json)
        for (const std::string& warning : report.warnings)
            std::cerr << "vigil: warning: " << printable(warning) << '\n';
    print(options, judgement, report);
    return ExitOk;
}

} // namespace

Command addEvalCommand(CLI::App& program) {
    auto options = std::make_shared<EvalOptions>();
    CLI::App& parser = *program.add_subcommand("eval", "Average precision on labelled images");
    parser.footer(examples);
    parser.add_option("--model", options->model.path, "ONNX file of a YOLOv10, with iRMBs or not")
        ->type_name("FILE");
    parser
        .add_option("--data", options->data.path,
                    "Labelled images: a folder, a data.yaml or COCO annotations")
        ->required()
        ->type_name("WHAT");
    parser.add_option("--split", options->data.split, "Part of the data [val, else all of it]")
        ->type_name("NAME");
    parser
        .add_option("--images", options->data.images,
                    "Folder of the images of COCO annotations [looked for near them]")
        ->type_name("DIR");
    parser
        .add_option("--names", options->data.names,
                    "Names of the data's classes: a file with a name a line, a YAML file, or coco")
        ->type_name("FILE");
    parser.add_option("--conf", options->confidence, "Score for precision and recall [0.25]")
        ->check(realNumber(0, 1))
        ->type_name("SCORE");
    parser.add_option("--max-det", options->max_detections, "Most detections in an image [300]")
        ->check(wholeNumber(1, most_detections))
        ->type_name("N");
    addNmsOption(parser, options->nms_iou);
    parser
        .add_option("--detections", options->detections,
                    "Judge these detections, COCO's results format, instead of a model's")
        ->type_name("FILE");
    parser.add_option("--save", options->save, "Write the detections in COCO's results format")
        ->type_name("FILE");
    addShapeOptions(parser, options->model);
    addEngineOptions(parser, options->model);
    parser.add_flag("--no-fuse", options->model.no_fuse, "Run iRMBs as standard operators");
    parser.add_flag("--json", options->json, "Print JSON");
    parser.add_flag("--quiet", options->quiet, "No progress");
    return {&parser, [options] { return evaluate(*options); }};
}

} // namespace vigil
