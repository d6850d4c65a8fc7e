#pragma once

#include <string>

namespace vigil {

/// Whether two paths name the same regular file, existing or not.
bool sameFile(const std::string& a, const std::string& b);

/// Throws cv::Exception when the folder that `path` lies in does not exist.
void checkParent(const std::string& path);

} // namespace vigil
