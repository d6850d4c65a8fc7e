#include "labelled_data.hpp"

#include "class_names.hpp"
#include "coco_data.hpp"
#include "data_yaml.hpp"
#include "yolo_data.hpp"

#include <opencv2/core.hpp>

namespace vigil {
namespace fs = std::filesystem;
namespace {

std::string text(cv::Size size) {
    return std::to_string(size.width) + "x" + std::to_string(size.height);
}

bool isYaml(const fs::path& path) {
    return path.extension() == ".yaml" || path.extension() == ".yml";
}

/// The folder's data.yaml, or its only YAML file; empty if it has none.
fs::path yamlIn(const fs::path& folder) {
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename() == "data.yaml")
            return entry.path();
        if (entry.is_regular_file() && isYaml(entry.path()))
            found.push_back(entry.path());
    }
    return found.size() == 1 ? found.front() : fs::path();
}

LabelledData openFolder(const DataLocation& location) {
    const fs::path yaml = yamlIn(location.path);
    if (!yaml.empty())
        return openDataYaml(yaml, location.split);
    const bool yolo = fs::is_directory(fs::path(location.path) / "labels");
    const fs::path json = yolo ? fs::path() : cocoJsonIn(location.path, location.split);
    if (!json.empty())
        return openCoco(json, location.images);
    return openYoloFolder(location.path, location.split);
}

LabelledData openAny(const DataLocation& location) {
    const fs::path path = location.path;
    if (fs::is_directory(path))
        return openFolder(location);
    if (!fs::exists(path))
        CV_Error(cv::Error::StsObjectNotFound,
                 "'" + location.path + "' does not exist; check the path");
    if (isYaml(path))
        return openDataYaml(path, location.split);
    if (path.extension() == ".json")
        return openCoco(path, location.images);
    CV_Error(cv::Error::StsBadArg, "'" + location.path +
                                       "' is no labelled data; give a folder with images and "
                                       "labels, a data.yaml or a COCO .json");
}

/// Puts names that the user gave separately in place of those that came along.
void nameClasses(LabelledData& data, const std::vector<std::string>& names) {
    const std::size_t count = data.classes.size();
    if (count > 0 && data.classes.back().id != static_cast<int>(count) - 1)
        CV_Error(cv::Error::StsBadArg,
                 "--names is for YOLO's numbered classes; the categories of '" + data.name +
                     "' have names");
    if (count > names.size())
        CV_Error(cv::Error::StsBadArg, "--names has " + std::to_string(names.size()) +
                                           " names, but '" + data.name + "' has class " +
                                           std::to_string(count - 1) + "; name every class");
    data.classes.clear();
    for (std::size_t i = 0; i < names.size(); ++i)
        data.classes.push_back({static_cast<int>(i), names[i]});
}

} // namespace

std::vector<LabelledObject> objectsInPixels(const LabelledImage& image, cv::Size size) {
    if (!image.size.empty() && image.size != size)
        CV_Error(cv::Error::StsUnmatchedSizes,
                 "'" + image.file.string() + "' is " + text(size) + " pixels, but its labels say " +
                     text(image.size) + "; give the images that were labelled");
    std::vector<LabelledObject> objects = image.objects;
    if (image.size.empty())
        for (LabelledObject& object : objects)
            object.box = {object.box.x * size.width, object.box.y * size.height,
                          object.box.width * size.width, object.box.height * size.height};
    return objects;
}

LabelledData openData(const DataLocation& location) {
    LabelledData data = openAny(location);
    if (!location.names.empty())
        nameClasses(data, readClassNames(location.names));
    return data;
}

} // namespace vigil
