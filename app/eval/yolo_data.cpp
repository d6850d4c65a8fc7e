#include "yolo_data.hpp"

#include "class_names.hpp"
#include "source/image_source.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <locale>
#include <sstream>

namespace vigil {
namespace fs = std::filesystem;
namespace {

constexpr double slack = 0.01; // of rounding in shares of the image
constexpr int most_classes = 100000;

[[noreturn]] void badRow(const fs::path& file, int line, const std::string& fault) {
    CV_Error(cv::Error::StsParseError,
             "'" + file.string() + "', line " + std::to_string(line) + ": " + fault);
}

bool isShare(double value) {
    return value >= -slack && value <= 1 + slack;
}

/// The numbers of a line; false when something else is in it.
bool numbersIn(const std::string& line, std::vector<double>& numbers) {
    std::istringstream stream(line);
    stream.imbue(std::locale::classic());
    numbers.clear();
    for (double number = 0; stream >> number;)
        numbers.push_back(number);
    return stream.eof();
}

cv::Rect2d boxAround(const std::vector<double>& numbers) {
    if (numbers.size() == 5)
        return {numbers[1] - numbers[3] / 2, numbers[2] - numbers[4] / 2, numbers[3], numbers[4]};
    cv::Point2d low(numbers[1], numbers[2]);
    cv::Point2d high = low;
    for (std::size_t i = 3; i + 1 < numbers.size(); i += 2) {
        low = {std::min(low.x, numbers[i]), std::min(low.y, numbers[i + 1])};
        high = {std::max(high.x, numbers[i]), std::max(high.y, numbers[i + 1])};
    }
    return {low, high};
}

LabelledObject objectIn(const std::vector<double>& numbers, int num_classes, const fs::path& file,
                        int line) {
    if (numbers.size() != 5 && (numbers.size() < 7 || numbers.size() % 2 == 0))
        badRow(file, line, "a row is 'class cx cy w h', or a class and a polygon's corners");
    const double id = numbers.front();
    if (id < 0 || id != std::floor(id) || id >= most_classes)
        badRow(file, line, "the class must be a whole number from 0");
    if (num_classes > 0 && id >= num_classes)
        badRow(file, line,
               "class " + std::to_string(static_cast<int>(id)) + ", but only " +
                   std::to_string(num_classes) + " classes are named");
    if (!std::all_of(numbers.begin() + 1, numbers.end(), isShare))
        badRow(file, line, "coordinates must be shares of width and height, 0 to 1");
    return {static_cast<int>(id), boxAround(numbers), false};
}

/// Digits without leading zeros, as COCO's image ids; any other stem as it is.
std::string imageId(const fs::path& image) {
    const std::string stem = image.stem().string();
    const bool number = !stem.empty() && std::all_of(stem.begin(), stem.end(), [](unsigned char c) {
        return std::isdigit(c);
    });
    const std::size_t start = number ? std::min(stem.find_first_not_of('0'), stem.size() - 1) : 0;
    return stem.substr(start);
}

std::vector<fs::path> listedImages(const fs::path& list) {
    std::vector<fs::path> images;
    std::ifstream stream(list);
    for (std::string line; std::getline(stream, line);) {
        while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())))
            line.pop_back();
        if (!line.empty())
            images.push_back((list.parent_path() / line).lexically_normal());
    }
    return images;
}

std::vector<fs::path> imagesBelow(const fs::path& folder) {
    std::vector<fs::path> images;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && isImageName(entry.path()))
            images.push_back(entry.path());
    std::sort(images.begin(), images.end(), [](const fs::path& a, const fs::path& b) {
        return naturalLess(a.string(), b.string());
    });
    return images;
}

std::vector<std::string> foldersIn(const fs::path& folder) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (entry.is_directory())
            names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
}

/// The folder in `parent` that `split` names, in full or by its beginning ("val" for "val2017").
/// Without a split that of validation, or "" if there is none.
std::string chooseSplit(const fs::path& parent, const std::string& split) {
    const std::vector<std::string> names = foldersIn(parent);
    const std::string wanted = split.empty() ? "val" : split;
    std::vector<std::string> close;
    for (const std::string& name : names) {
        if (name == wanted)
            return name;
        if (name.rfind(wanted, 0) == 0)
            close.push_back(name);
    }
    if (close.size() == 1)
        return close.front();
    if (split.empty() && close.empty())
        return "";
    CV_Error(
        cv::Error::StsObjectNotFound,
        "--split: '" + parent.string() +
            (close.empty() ? "' has no folder '" + wanted : "' has several folders '" + wanted) +
            "'; it has " + joined(names));
}

/// The folder of the images to take.
fs::path imageFolder(const fs::path& folder, const std::string& split) {
    const fs::path images = folder / "images";
    if (fs::is_directory(images))
        return images / chooseSplit(images, split);
    const std::string chosen = chooseSplit(folder, split);
    if (!chosen.empty() && fs::is_directory(folder / chosen / "images"))
        return folder / chosen / "images";
    return folder / chosen;
}

/// Names from a file that lies beside the images, as older tools write it.
std::vector<std::string> namesBeside(const fs::path& folder) {
    for (const char* name : {"classes.txt", "obj.names", "coco.names"})
        if (fs::is_regular_file(folder / name))
            return readClassNames((folder / name).string());
    return {};
}

} // namespace

std::vector<fs::path> imagesAt(const fs::path& folder_or_list) {
    return fs::is_directory(folder_or_list) ? imagesBelow(folder_or_list)
                                            : listedImages(folder_or_list);
}

fs::path labelFileOf(const fs::path& image) {
    std::vector<fs::path> parts(image.begin(), image.end());
    const auto last = std::find(parts.rbegin(), parts.rend(), fs::path("images"));
    if (last != parts.rend())
        *last = "labels";
    fs::path label;
    for (const fs::path& part : parts)
        label /= part;
    return label.replace_extension(".txt");
}

std::vector<LabelledObject> readYoloLabels(const fs::path& file, int num_classes) {
    std::ifstream stream(file);
    if (!stream)
        CV_Error(cv::Error::StsError, "'" + file.string() + "' cannot be read");
    std::vector<LabelledObject> objects;
    std::vector<double> numbers;
    int line_number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++line_number;
        if (!numbersIn(line, numbers))
            badRow(file, line_number,
                   "something in it is not a number; a row is 'class x y width height'");
        if (!numbers.empty())
            objects.push_back(objectIn(numbers, num_classes, file, line_number));
    }
    return objects;
}

LabelledData readYoloData(const std::string& name, const std::vector<fs::path>& images,
                          const std::vector<std::string>& class_names) {
    if (images.empty())
        CV_Error(cv::Error::StsObjectNotFound,
                 "'" + name + "' has no images to evaluate on; check the folder and --split");
    LabelledData data;
    data.name = name;
    std::size_t num_classes = class_names.size();
    int unlabelled = 0;
    for (const fs::path& image : images) {
        data.images.push_back({image, imageId(image), {}, {}});
        const fs::path labels = labelFileOf(image);
        if (fs::exists(labels))
            data.images.back().objects =
                readYoloLabels(labels, static_cast<int>(class_names.size()));
        else
            ++unlabelled;
        for (const LabelledObject& object : data.images.back().objects)
            num_classes = std::max(num_classes, static_cast<std::size_t>(object.class_index) + 1);
    }
    if (unlabelled == static_cast<int>(images.size()))
        CV_Error(cv::Error::StsObjectNotFound, "'" + name + "' has no labels: '" +
                                                   labelFileOf(images.front()).string() +
                                                   "' and the like do not exist");
    if (unlabelled > 0)
        data.warnings.push_back(std::to_string(unlabelled) +
                                " images have no label file and count as empty");
    for (std::size_t i = 0; i < num_classes; ++i)
        data.classes.push_back({static_cast<int>(i), i < class_names.size() ? class_names[i] : ""});
    return data;
}

LabelledData openYoloFolder(const fs::path& folder, const std::string& split) {
    const fs::path images = imageFolder(folder, split).lexically_normal();
    const std::string name =
        images.filename().empty() ? images.parent_path().string() : images.string();
    return readYoloData(name, imagesAt(images), namesBeside(folder));
}

} // namespace vigil
