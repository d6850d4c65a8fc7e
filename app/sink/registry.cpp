#include "registry.hpp"

#include "csv_sink.hpp"
#include "image_sink.hpp"
#include "jsonl_sink.hpp"
#include "mot_sink.hpp"
#include "video_sink.hpp"

namespace vigil {

const std::vector<DataSinkKind>& dataSinkKinds() {
    static const std::vector<DataSinkKind> kinds = {
        {"jsonl", "Detections as JSON, a line a frame",
         [](const std::string& path, const SinkContext& context) {
             return std::make_unique<JsonlSink>(path, context.class_names);
         }},
        {"csv", "Detections as a table, a line each",
         [](const std::string& path, const SinkContext& context) {
             return std::make_unique<CsvSink>(path, context.class_names);
         }},
        {"mot", "Detections as MOTChallenge text",
         [](const std::string& path, const SinkContext&) {
             return std::make_unique<MotSink>(path);
         }},
    };
    return kinds;
}

std::unique_ptr<Sink> makePictureSink(const std::string& path, const SinkContext& context) {
    if (ImageSink::takes(path))
        return std::make_unique<ImageSink>(path, context.source);
    return std::make_unique<VideoSink>(path, context.source);
}

} // namespace vigil
