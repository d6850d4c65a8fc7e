#include "default_model.hpp"

#include "command.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace vigil {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> modelFolders() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (error)
        return {};
    const fs::path folder = program.parent_path();
    return {folder / "../../resources/models", // build/bin in the sources
            folder / "../share/vigil/models"}; // installed
}

std::string firstModelIn(const fs::path& folder) {
    std::error_code error;
    std::vector<std::string> models;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
        if (entry.path().extension() == ".onnx")
            models.push_back(entry.path().lexically_normal().string());
    return models.empty() ? "" : *std::min_element(models.begin(), models.end());
}

} // namespace

std::string defaultModel() {
    const char* named = std::getenv("VIGIL_MODEL");
    if (named && *named)
        return named;
    for (const fs::path& folder : modelFolders()) {
        std::string model = firstModelIn(folder);
        if (!model.empty())
            return model;
    }
    throw UsageError("no model: give one with --model FILE.onnx, or set VIGIL_MODEL");
}

} // namespace vigil
