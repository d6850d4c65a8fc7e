#include "outputs.hpp"

#include "render/box_overlay.hpp"
#include "text.hpp"

#include <filesystem>

namespace vigil::ui {
namespace {

namespace fs = std::filesystem;

bool sameFile(const std::string& a, const std::string& b) {
    std::error_code error;
    return fs::absolute(a).lexically_normal() == fs::absolute(b).lexically_normal() ||
           fs::equivalent(a, b, error);
}

std::vector<std::string> pathsOf(const Outputs& outputs) {
    std::vector<std::string> paths;
    if (!outputs.picture.empty())
        paths.push_back(outputs.picture);
    for (const auto& [kind, path] : outputs.data)
        paths.push_back(path);
    return paths;
}

} // namespace

QString firstFile(const Outputs& outputs) {
    const std::vector<std::string> paths = pathsOf(outputs);
    return paths.empty() ? QString() : fromStd(paths.front());
}

void checkOutputs(const Outputs& outputs, const std::string& input) {
    const std::vector<std::string> paths = pathsOf(outputs);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        if (sameFile(paths[i], input))
            CV_Error(cv::Error::StsBadArg, "'" + paths[i] +
                                               "' is what is being played and would be "
                                               "overwritten; choose another name");
        for (std::size_t k = 0; k < i; ++k)
            if (sameFile(paths[i], paths[k]))
                CV_Error(cv::Error::StsBadArg,
                         "'" + paths[i] + "' is named for two outputs; give each its own");
    }
}

std::vector<std::unique_ptr<Sink>> makeSinks(const Outputs& outputs, const SinkContext& context) {
    std::vector<std::unique_ptr<Sink>> sinks;
    for (const DataSinkKind& kind : dataSinkKinds())
        if (const auto found = outputs.data.find(kind.name); found != outputs.data.end())
            sinks.push_back(kind.make(found->second, context));
    if (!outputs.picture.empty())
        sinks.push_back(makePictureSink(outputs.picture, context));
    return sinks;
}

std::shared_ptr<const Renderer> makeRenderer(const std::vector<std::string>& class_names) {
    auto renderer = std::make_shared<Renderer>();
    renderer->add(std::make_unique<BoxOverlay>(class_names));
    return renderer;
}

void writeImage(const Picture& picture, const std::string& path, bool with_overlay) {
    FrameResult result = picture.result;
    if (with_overlay) {
        result.frame.image = result.frame.image.clone();
        makeRenderer(picture.class_names)->draw(result);
    }
    SourceInfo one_image;
    one_image.stills = true;
    one_image.frame_count = 1;
    const std::unique_ptr<Sink> sink = makePictureSink(path, {one_image, picture.class_names});
    sink->write(result);
    sink->finish();
}

} // namespace vigil::ui
