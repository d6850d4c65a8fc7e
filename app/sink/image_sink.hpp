#pragma once

#include "sink.hpp"
#include "source/source.hpp"

namespace vigil {

/// Annotated images: one file, numbered files ("out_%05d.png") or files in a folder, which keep the
/// names of the images that they come from.
class ImageSink : public Sink {
public:
    /// Whether `path` ends like an image or is a folder.
    static bool takes(const std::string& path);

    /// Creates the folder if `path` is one. Throws cv::Exception (StsBadArg) when one image would
    /// have to hold many frames.
    ImageSink(const std::string& path, const SourceInfo& source);

    bool wantsPicture() const override { return true; }
    void write(const FrameResult& result) override;
    void finish() override {}

private:
    std::string fileFor(const Frame& frame) const;

    std::string path_;
    bool is_folder_ = false;
    std::size_t number_begin_ = std::string::npos; ///< of "%05d" in path_
    std::size_t number_length_ = 0;
    int number_width_ = 0;
};

} // namespace vigil
