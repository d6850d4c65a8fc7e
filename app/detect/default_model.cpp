#include "default_model.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace vigil {
namespace {

namespace fs = std::filesystem;

/// Places as seen from the folder of the program.
std::vector<fs::path> besideProgram(const std::vector<std::string>& places) {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    std::vector<fs::path> paths;
    for (const std::string& place : places)
        if (!error)
            paths.push_back((program.parent_path() / place).lexically_normal());
    return paths;
}

std::vector<fs::path> modelFolders() {
    return besideProgram({"../../resources/models",  // build/bin in the sources
                          "../share/vigil/models"}); // installed
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
    return "";
}

std::string demoClip() {
    std::error_code error;
    for (const fs::path& clip :
         besideProgram({"../demo/vtest.avi", "../share/vigil/videos/vtest.avi"}))
        if (fs::is_regular_file(clip, error))
            return clip.string();
    return "";
}

} // namespace vigil
