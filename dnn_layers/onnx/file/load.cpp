#include "files.hpp"
#include "io.hpp"
#include "onnx/fault.hpp"
#include "raw_model.hpp"

#include <opencv2/core.hpp>

#include <filesystem>

namespace irmb::onnx {
namespace {

OnnxModel parseChecked(const std::vector<uint8_t>& bytes, const std::string& folder) {
    if (bytes.empty())
        refuseFile("the file is empty");
    RawModel raw = decodeModel(bytes, folder);
    inlineFunctions(raw);
    return settle(std::move(raw));
}

} // namespace

OnnxModel parse(const std::vector<uint8_t>& bytes, const std::string& folder,
                const std::string& name) {
    try {
        return parseChecked(bytes, folder);
    } catch (const cv::Exception& error) {
        CV_Error(error.code, name + ": " + error.err);
    }
}

OnnxModel load(const std::string& path) {
    const InputFile file(path);
    if (file.size() > kMaxModelBytes)
        CV_Error(cv::Error::StsOutOfRange, path + ": larger than 2 GiB; use a smaller model");
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return parse(file.read(0, file.size()), folder.empty() ? "." : folder, path);
}

} // namespace irmb::onnx
