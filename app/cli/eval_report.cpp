#include "eval_report.hpp"

#include "sink/text_format.hpp"

#include <algorithm>
#include <iomanip>

namespace vigil {
namespace {

constexpr int value_width = 11;
constexpr std::size_t longest_name = 30;

Json valueJson(const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json scoresJson(const Scores& scores) {
    return {{"objects", scores.objects},
            {"ap50", valueJson(scores.ap50)},
            {"ap50_95", valueJson(scores.ap50_95)},
            {"precision", valueJson(scores.precision())},
            {"recall", valueJson(scores.recall())},
            {"true_positives", scores.true_positives},
            {"false_positives", scores.false_positives}};
}

double imagesPerSecond(const RunStats& stats) {
    return stats.wall_s > 0 ? static_cast<double>(stats.frames_processed) / stats.wall_s : 0;
}

Json speedJson(const RunStats& stats) {
    Json latency = Json::object();
    for (const auto& [stage, times] : stats.latency)
        if (stage != "render" && stage != "write")
            latency[stage] = {{"p50", times.percentileMs(0.5)}, {"p95", times.percentileMs(0.95)}};
    return {{"wall_s", stats.wall_s},
            {"images_per_s", imagesPerSecond(stats)},
            {"latency_ms", latency}};
}

bool matters(const Scores& scores) {
    return scores.objects > 0 || scores.true_positives + scores.false_positives > 0;
}

std::string nameOf(const LabelledClass& entry) {
    const std::string name = entry.name.empty() ? "class" + std::to_string(entry.id) : entry.name;
    return printable(name).substr(0, longest_name);
}

void printRow(std::ostream& out, const std::string& name, const Scores& scores) {
    out << std::left << std::setw(longest_name + 1) << name << std::right << std::setw(8)
        << scores.objects;
    for (const std::optional<double>& value :
         {scores.precision(), scores.recall(), scores.ap50, scores.ap50_95})
        out << std::setw(value_width) << (value ? fixedDecimals(*value, 4) : "-");
    out << '\n';
}

bool hasGaps(const Scores& scores) {
    return scores.objects == 0 || !scores.precision();
}

void printSpeed(std::ostream& out, const RunStats& stats) {
    out << "\nspeed  " << fixedDecimals(imagesPerSecond(stats), 1)
        << " images a second; median ms:";
    std::string separator = " ";
    for (const char* stage : {"decode", "preprocess", "inference", "postprocess"}) {
        const auto times = stats.latency.find(stage);
        if (times == stats.latency.end())
            continue;
        out << separator << stage << ' ' << fixedDecimals(times->second.percentileMs(0.5), 1);
        separator = ", ";
    }
    out << '\n';
}

} // namespace

void addEvaluation(Json& json, const EvalReport& report) {
    json["images"] = report.images;
    json["confidence"] = report.confidence;
    json.update(scoresJson(report.evaluation.all));
    json["classes"] = Json::array();
    for (std::size_t i = 0; i < report.evaluation.classes.size(); ++i) {
        Json entry = {{"id", report.data.classes[i].id}, {"name", report.data.classes[i].name}};
        entry.update(scoresJson(report.evaluation.classes[i]));
        json["classes"].push_back(entry);
    }
    if (report.stats)
        json["speed"] = speedJson(*report.stats);
    json["warnings"] = report.warnings;
}

void printEvaluation(std::ostream& out, const EvalReport& report) {
    out << std::left << std::setw(longest_name + 1) << "class" << std::right << std::setw(8)
        << "objects" << std::setw(value_width) << "precision" << std::setw(value_width) << "recall"
        << std::setw(value_width) << "AP50" << std::setw(value_width) << "AP50-95" << '\n';
    printRow(out, "all", report.evaluation.all);
    bool gaps = hasGaps(report.evaluation.all);
    for (std::size_t i = 0; i < report.evaluation.classes.size(); ++i) {
        const Scores& scores = report.evaluation.classes[i];
        if (!matters(scores))
            continue;
        printRow(out, nameOf(report.data.classes[i]), scores);
        gaps = gaps || hasGaps(scores);
    }
    if (gaps)
        out << "-  undefined: precision without detections at this confidence, all else without "
               "objects\n";
    if (report.stats)
        printSpeed(out, *report.stats);
}

} // namespace vigil
