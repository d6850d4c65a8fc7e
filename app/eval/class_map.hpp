#pragma once

#include "labelled_data.hpp"

namespace vigil {

/// How the classes of a model and of data correspond.
struct ClassMap {
    std::vector<int> data_index;       ///< by the model's class; -1: the data does not have it
    std::vector<bool> known;           ///< by the data's class: the model has it
    std::vector<std::string> warnings; ///< labelled classes that the model does not have
};

/// Gives data without names the classes of the model. Throws cv::Exception when objects of a class
/// are labelled that the model does not have. `model_classes` 0: unknown.
void adoptClasses(LabelledData& data, const std::vector<std::string>& model_names,
                  int model_classes);

/// By name (any case) where both name their classes, else by place, which takes the same
/// number of classes. Throws cv::Exception when nothing corresponds.
ClassMap mapClasses(const std::vector<std::string>& model_names, int model_classes,
                    const LabelledData& data);

/// The map of detections that come with the data's own classes.
ClassMap sameClasses(const LabelledData& data);

} // namespace vigil
