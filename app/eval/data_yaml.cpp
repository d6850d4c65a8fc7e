#include "data_yaml.hpp"

#include "yolo_data.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <yaml-cpp/yaml.h>

namespace vigil {
namespace fs = std::filesystem;
namespace {

constexpr int most_classes = 100000;

YAML::Node load(const fs::path& path) {
    try {
        YAML::Node root = YAML::LoadFile(path.string());
        if (root.IsMap())
            return root;
    } catch (const YAML::Exception& error) {
        CV_Error(cv::Error::StsParseError, "'" + path.string() + "', line " +
                                               std::to_string(error.mark.line + 1) + ": " +
                                               error.msg);
    }
    CV_Error(cv::Error::StsParseError,
             "'" + path.string() + "' holds no keys; a data.yaml has path, val and names");
}

/// Runs `work`, which looks into the YAML file at `path`.
template <typename Work>
auto reading(const fs::path& path, Work work) {
    try {
        return work();
    } catch (const YAML::Exception& error) {
        CV_Error(cv::Error::StsParseError, "'" + path.string() + "', line " +
                                               std::to_string(error.mark.line + 1) + ": " +
                                               error.msg);
    }
}

std::vector<std::string> namesOf(const YAML::Node& root) {
    std::vector<std::string> names;
    const YAML::Node node = root["names"];
    if (node && node.IsMap()) {
        for (const auto& entry : node) {
            const int id = entry.first.as<int>();
            if (id < 0 || id >= most_classes)
                throw YAML::Exception(entry.first.Mark(), "the class number is out of range");
            names.resize(std::max(names.size(), static_cast<std::size_t>(id) + 1));
            names[static_cast<std::size_t>(id)] = entry.second.as<std::string>();
        }
        for (std::size_t i = 0; i < names.size(); ++i)
            if (names[i].empty())
                names[i] = "class" + std::to_string(i);
    } else if (node && node.IsSequence()) {
        for (const auto& entry : node)
            names.push_back(entry.as<std::string>());
    }
    return names;
}

std::vector<std::string> entriesOf(const YAML::Node& node) {
    if (!node.IsSequence())
        return {node.as<std::string>()};
    std::vector<std::string> entries;
    for (const auto& entry : node)
        entries.push_back(entry.as<std::string>());
    return entries;
}

/// The folder that relative entries start from.
fs::path rootFolder(const YAML::Node& root, const fs::path& yaml) {
    const fs::path here = fs::absolute(yaml).parent_path();
    const YAML::Node path = root["path"];
    if (!path || !path.IsScalar())
        return here;
    const fs::path named = here / path.as<std::string>();
    return fs::is_directory(named) ? named : here;
}

/// An entry as it is, or without the "../" that some exporters put in front.
fs::path locate(const fs::path& folder, const std::string& entry, const fs::path& yaml) {
    if (fs::exists(folder / entry))
        return folder / entry;
    if (entry.rfind("../", 0) == 0 && fs::exists(folder / entry.substr(3)))
        return folder / entry.substr(3);
    CV_Error(cv::Error::StsObjectNotFound, "'" + yaml.string() + "' names '" + entry +
                                               "', which is not in '" + folder.string() +
                                               "'; correct its path");
}

YAML::Node splitNode(const YAML::Node& root, const std::string& split, const fs::path& yaml) {
    for (const std::string& key :
         {split.empty() ? std::string("val") : split, split.empty() ? std::string("valid") : split})
        if (root[key] && !root[key].IsNull())
            return root[key];
    CV_Error(cv::Error::StsObjectNotFound, "'" + yaml.string() + "' has no split '" +
                                               (split.empty() ? "val" : split) +
                                               "'; choose one that it has with --split");
}

} // namespace

std::vector<std::string> namesInYaml(const fs::path& yaml) {
    const YAML::Node root = load(yaml);
    return reading(yaml, [&] { return namesOf(root); });
}

LabelledData openDataYaml(const fs::path& yaml, const std::string& split) {
    const YAML::Node root = load(yaml);
    return reading(yaml, [&] {
        const fs::path folder = rootFolder(root, yaml);
        std::vector<fs::path> images;
        for (const std::string& entry : entriesOf(splitNode(root, split, yaml))) {
            const std::vector<fs::path> some = imagesAt(locate(folder, entry, yaml));
            images.insert(images.end(), some.begin(), some.end());
        }
        return readYoloData(yaml.string(), images, namesOf(root));
    });
}

} // namespace vigil
