#pragma once

#include "sink.hpp"
#include "source/source.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vigil {

/// What a sink may want to know before the first result.
struct SinkContext {
    SourceInfo source;
    std::vector<std::string> class_names;
};

using MakeSink = std::function<std::unique_ptr<Sink>(const std::string& path, const SinkContext&)>;

/// A kind of data file: an option of the command line, a row in a dialog.
struct DataSinkKind {
    std::string name; ///< "jsonl" for --jsonl
    std::string description;
    MakeSink make;
};

/// Every kind of data file that Vigil writes. A new one is a file in this folder and a line there.
const std::vector<DataSinkKind>& dataSinkKinds();

/// The sink for annotated pictures that `path` calls for: a video, an image, numbered images
/// ("out_%05d.png") or a folder of images ("out/"). Throws cv::Exception (StsBadArg) when the
/// ending says nothing, or one image is to hold many frames.
std::unique_ptr<Sink> makePictureSink(const std::string& path, const SinkContext& context);

} // namespace vigil
