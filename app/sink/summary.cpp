#include "summary.hpp"

#include "detect/acceleration_json.hpp"
#include "text_format.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace vigil {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) {
    return std::round(value * 1000) / 1000;
}

double framesPerSecond(const RunStats& stats) {
    return stats.wall_s > 0 ? static_cast<double>(stats.frames_processed) / stats.wall_s : 0;
}

Json latencyJson(const RunStats& stats) {
    Json latency = Json::object();
    for (const char* stage :
         {"decode", "preprocess", "inference", "postprocess", "render", "write"}) {
        const auto found = stats.latency.find(stage);
        const LatencyStats times = found == stats.latency.end() ? LatencyStats() : found->second;
        latency[stage] = {{"p50", rounded(times.percentileMs(0.5))},
                          {"p95", rounded(times.percentileMs(0.95))}};
    }
    return latency;
}

void addNetwork(Json& json, ModelDetector& detector) {
    json["engine"] = detector.engine();
    json["backend"] = detector.backend().name;
    json["target"] = detector.backend().name + "_" + detector.backend().precision;
    json["precision"] = detector.backend().precision;
    json["cpu_acceleration"] = accelerationJson(detector.acceleration());
    json["opencv"] = cv::getVersionString();
    json["fallback_layers"] = detector.fallbackLayers();
    json["fused"] = detector.report().whole();
    json["core"] = detector.report().core();
    json["unfused"] = detector.report().unfused();
}

} // namespace

std::string summaryJson(const RunStats& stats, const SourceInfo& source, Mode mode,
                        ModelDetector& detector) {
    Json json;
    json["source"] = source.name;
    json["model"] = detector.info().path;
    json["mode"] = mode == Mode::RealTime ? "realtime" : "sync";
    json["frames_captured"] = stats.frames_captured;
    json["frames_processed"] = stats.frames_processed;
    json["frames_dropped"] = {{"superseded", stats.dropped.superseded},
                              {"damaged", stats.dropped.damaged},
                              {"aborted", stats.dropped.aborted}};
    json["wall_s"] = rounded(stats.wall_s);
    json["fps"] = rounded(framesPerSecond(stats));
    json["latency_ms"] = latencyJson(stats);
    addNetwork(json, detector);
    json["cancelled"] = stats.cancelled;
    json["warnings"] = stats.warnings;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string summaryLine(const RunStats& stats) {
    std::string line = std::to_string(stats.frames_processed) + " frames in " +
                       fixedDecimals(stats.wall_s, 1) + " s, " +
                       fixedDecimals(framesPerSecond(stats), 1) + " a second";
    if (stats.dropped.total() > 0)
        line += ", " + std::to_string(stats.dropped.total()) + " dropped";
    return stats.cancelled ? line + ", stopped early" : line;
}

} // namespace vigil
