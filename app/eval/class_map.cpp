#include "class_map.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <numeric>

namespace vigil {
namespace {

constexpr const char* name_them =
    "; give the names of the data's classes with --names FILE, or --names coco for COCO's 80";

ClassMap mapByName(const std::vector<std::string>& model_names, const LabelledData& data) {
    ClassMap map;
    map.known.resize(data.classes.size());
    for (const std::string& name : model_names) {
        const auto same =
            std::find_if(data.classes.begin(), data.classes.end(), [&](const LabelledClass& entry) {
                return cv::toLowerCase(entry.name) == cv::toLowerCase(name);
            });
        const bool found = same != data.classes.end();
        map.data_index.push_back(found ? static_cast<int>(same - data.classes.begin()) : -1);
        if (found)
            map.known[static_cast<std::size_t>(same - data.classes.begin())] = true;
    }
    if (std::find(map.known.begin(), map.known.end(), true) == map.known.end())
        CV_Error(cv::Error::StsBadArg, "model and data have no class in common: '" +
                                           model_names.front() + "' .. there, '" +
                                           data.classes.front().name + "' .. here" + name_them);
    return map;
}

/// Only a model without names comes here with another number of classes: data adopt them.
ClassMap mapByPlace(int model_classes, const LabelledData& data) {
    if (model_classes > 0 && model_classes != static_cast<int>(data.classes.size()))
        CV_Error(cv::Error::StsBadArg, "'" + data.name + "' has " +
                                           std::to_string(data.classes.size()) +
                                           " classes, the model " + std::to_string(model_classes) +
                                           ", without names; export the model with the names of "
                                           "its classes");
    return sameClasses(data);
}

/// Remarks on what is labelled, but cannot be found.
void addWarnings(ClassMap& map, const LabelledData& data) {
    std::vector<int> objects(data.classes.size());
    for (const LabelledImage& image : data.images)
        for (const LabelledObject& object : image.objects)
            ++objects[static_cast<std::size_t>(object.class_index)];
    std::string names;
    for (std::size_t i = 0; i < objects.size(); ++i)
        if (!map.known[i] && objects[i] > 0)
            names += (names.empty() ? "" : ", ") + data.classes[i].name;
    if (!names.empty())
        map.warnings.push_back("labelled, but no class of the model, and left out: " + names);
}

} // namespace

void adoptClasses(LabelledData& data, const std::vector<std::string>& model_names,
                  int model_classes) {
    if (data.named())
        return;
    const std::size_t labelled = data.classes.size();
    if (model_classes > 0 && labelled > static_cast<std::size_t>(model_classes))
        CV_Error(cv::Error::StsBadArg, "'" + data.name + "' labels objects of class " +
                                           std::to_string(labelled - 1) +
                                           " and names no classes, the model has classes 0 to " +
                                           std::to_string(model_classes - 1) + name_them);
    for (std::size_t i = labelled; i < static_cast<std::size_t>(model_classes); ++i)
        data.classes.push_back({static_cast<int>(i), ""});
    for (std::size_t i = 0; i < data.classes.size() && i < model_names.size(); ++i)
        data.classes[i].name = model_names[i];
}

ClassMap mapClasses(const std::vector<std::string>& model_names, int model_classes,
                    const LabelledData& data) {
    const bool by_name = !model_names.empty() && data.named();
    ClassMap map = by_name ? mapByName(model_names, data) : mapByPlace(model_classes, data);
    addWarnings(map, data);
    return map;
}

ClassMap sameClasses(const LabelledData& data) {
    ClassMap map;
    map.known.assign(data.classes.size(), true);
    map.data_index.resize(data.classes.size());
    std::iota(map.data_index.begin(), map.data_index.end(), 0);
    return map;
}

} // namespace vigil
