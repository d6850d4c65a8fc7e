#pragma once

#include <irmb_dnn/model.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace irmb {

/// The remark on a network that OpenCV's new engine refused.
inline constexpr const char* classic_instead =
    "OpenCV's new engine cannot run this network: the classic one does";

struct ImportedNet {
    cv::dnn::Net net;
    std::string engine; ///< "new" or "classic": what OpenCV really made of it
};

/// Hands the bytes of an ONNX file to OpenCV's importer.
/// Throws cv::Exception with one line that names `path` when OpenCV cannot import it.
ImportedNet importNet(const std::vector<uint8_t>& bytes, Engine engine, const std::string& path);

} // namespace irmb
