#pragma once

#include "media_engine.hpp"
#include "sink/registry.hpp"

namespace vigil::ui {

/// Throws cv::Exception when an output is named twice or would overwrite `input`.
void checkOutputs(const Outputs& outputs, const std::string& input);

/// Creates the files.
std::vector<std::unique_ptr<Sink>> makeSinks(const Outputs& outputs, const SinkContext& context);

std::shared_ptr<const Renderer> makeRenderer(const std::vector<std::string>& class_names);

/// Writes the frame as an image of the kind that `path` ends in, with what was found if wanted.
void writeImage(const Picture& picture, const std::string& path, bool with_overlay);

/// The file to show first of those named.
QString firstFile(const Outputs& outputs);

} // namespace vigil::ui
