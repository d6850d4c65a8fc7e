#pragma once

#include "labelled_data.hpp"

namespace vigil {

/// Images of a folder and all folders below, in natural order, or those that a text file lists.
std::vector<std::filesystem::path> imagesAt(const std::filesystem::path& folder_or_list);

/// Where the labels of an image are: `labels` stands for the last folder called `images`, else
/// beside the image; the name ends in .txt.
std::filesystem::path labelFileOf(const std::filesystem::path& image);

/// Reads rows "class cx cy w h" or "class x1 y1 x2 y2 x3 y3 ..." (a polygon), shares of width and
/// height. `num_classes` 0: any class. Throws cv::Exception that names file and line.
std::vector<LabelledObject> readYoloLabels(const std::filesystem::path& file, int num_classes);

/// Reads the labels of `images`. Images without a label file count as empty, with a warning. Throws
/// cv::Exception when there is no image or no label file at all.
LabelledData readYoloData(const std::string& name, const std::vector<std::filesystem::path>& images,
                          const std::vector<std::string>& class_names);

/// Opens a folder without a data.yaml: images/ with labels/, both with a folder for each split or
/// without, or a folder for each split with images/ and labels/ in it, or labels beside the images.
LabelledData openYoloFolder(const std::filesystem::path& folder, const std::string& split);

} // namespace vigil
