#pragma once

#include <opencv2/core/types.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace vigil {

/// One object that somebody labelled.
struct LabelledObject {
    int class_index = 0; ///< into LabelledData::classes
    cv::Rect2d box;     ///< pixels, or shares of width and height while the image's size is unknown
    bool crowd = false; ///< COCO's iscrowd: detections on it count neither way
};

struct LabelledImage {
    std::filesystem::path file;
    std::string id; ///< COCO's image_id; of YOLO data the stem, digits without leading zeros
    cv::Size size;  ///< pixels as the labels state it; empty: boxes are relative
    std::vector<LabelledObject> objects;
};

struct LabelledClass {
    int id = 0;       ///< COCO's category_id, or the number in YOLO's label files
    std::string name; ///< empty: unknown
};

/// Images with labels, whatever files they came from.
struct LabelledData {
    std::string name;
    std::vector<LabelledClass> classes;
    std::vector<LabelledImage> images;
    std::vector<std::string> warnings;

    /// Whether the classes have names.
    bool named() const { return !classes.empty() && !classes.front().name.empty(); }
};

/// The objects of `image` with boxes in pixels, `size` being what was decoded. Throws cv::Exception
/// when the labels were made for another size.
std::vector<LabelledObject> objectsInPixels(const LabelledImage& image, cv::Size size);

/// What to open, as the user names it.
struct DataLocation {
    std::string path;   ///< folder, data.yaml or COCO's JSON
    std::string split;  ///< "val" and the like; empty: the validation split, else everything
    std::string images; ///< folder of a COCO JSON's images; empty: looked for around the JSON
    std::string names;  ///< file with the names of the classes, or "coco"; empty: what comes along
};

/// Opens data in YOLO's layouts or COCO's JSON. Throws cv::Exception that names the file, the fault
/// and the remedy.
LabelledData openData(const DataLocation& location);

} // namespace vigil
