#include "output_paths.hpp"

#include <opencv2/core.hpp>

#include <filesystem>

namespace vigil {

namespace fs = std::filesystem;

bool sameFile(const std::string& a, const std::string& b) {
    std::error_code error;
    if (fs::exists(a, error) && fs::exists(b, error))
        return fs::is_regular_file(a, error) && fs::equivalent(a, b, error);
    return fs::absolute(a).lexically_normal() == fs::absolute(b).lexically_normal();
}

void checkParent(const std::string& path) {
    const std::string stem = path.back() == '/' ? path.substr(0, path.size() - 1) : path;
    const fs::path parent = fs::path(stem).parent_path();
    if (!parent.empty() && !fs::is_directory(parent))
        CV_Error(cv::Error::StsError, "'" + path + "': the folder '" + parent.string() +
                                          "' does not exist; create it first");
}

} // namespace vigil
