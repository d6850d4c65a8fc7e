#pragma once

#include <irmb_dnn/model.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace irmb {

struct ImportedNet {
    cv::dnn::Net net;
    std::string engine; ///< "new" or "classic": what OpenCV really made of it
};

/// Hands the bytes of an ONNX file to OpenCV's importer.
/// Throws cv::Exception with one line that names `path` when OpenCV cannot import it.
ImportedNet importNet(const std::vector<uint8_t>& bytes, Engine engine, const std::string& path);

} // namespace irmb
