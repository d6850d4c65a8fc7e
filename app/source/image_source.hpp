#pragma once

#include "source.hpp"

#include <filesystem>

namespace vigil {

/// Whether the file name ends like that of an image.
bool isImageName(const std::filesystem::path& path);

/// Numbers in file names compare as numbers: "f9.png" comes before "f10.png".
bool naturalLess(const std::string& a, const std::string& b);

/// The images right inside a folder, in natural order.
std::vector<std::filesystem::path> imagesInFolder(const std::filesystem::path& folder);

/// The files that match a shell pattern, in natural order.
std::vector<std::filesystem::path> filesMatching(const std::string& pattern);

/// Still images one after the other, at a nominal pace of 25 a second.
/// Images that cannot be read count as damaged frames.
class ImageSource : public Source {
public:
    /// `files` must not be empty; `name` is what the user called them.
    ImageSource(const std::string& name, std::vector<std::filesystem::path> files);

    const SourceInfo& info() const override { return info_; }
    bool grab(Frame& frame) override;
    bool retrieve(Frame& frame) override;
    bool seek(double time_ms) override;
    bool seekBefore(double time_ms) override;
    std::vector<std::string> warnings() const override { return warnings_; }

private:
    SourceInfo info_;
    std::vector<std::filesystem::path> files_;
    std::size_t next_ = 0;
    std::vector<std::string> warnings_;
};

} // namespace vigil
