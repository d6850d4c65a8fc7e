#include "coco_data.hpp"

#include "source/image_source.hpp"

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include <algorithm>
#include <fstream>
#include <map>

namespace vigil {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

Json readJson(const std::string& path) {
    std::ifstream stream(path);
    if (!stream)
        CV_Error(cv::Error::StsObjectNotFound, "'" + path + "' cannot be read; check the path");
    try {
        return Json::parse(stream);
    } catch (const Json::parse_error& error) {
        CV_Error(cv::Error::StsParseError, "'" + path + "' is no JSON: it breaks at byte " +
                                               std::to_string(error.byte) +
                                               "; give a file of COCO's form");
    }
}

/// An entry of a JSON file, with its place for messages.
struct Entry {
    const Json& json;
    std::string place; ///< "'file': annotations[3]"

    [[noreturn]] void fail(const std::string& fault) const {
        CV_Error(cv::Error::StsParseError, place + ": " + fault);
    }

    const Json& at(const char* key) const {
        if (!json.is_object() || !json.contains(key))
            fail(std::string("has no ") + key);
        return json[key];
    }

    std::string textAt(const char* key) const {
        if (!at(key).is_string())
            fail(std::string(key) + " must be text");
        return at(key);
    }

    double numberAt(const char* key) const {
        if (!at(key).is_number())
            fail(std::string(key) + " must be a number");
        return at(key);
    }

    int wholeAt(const char* key) const {
        const double number = numberAt(key);
        if (number != static_cast<int>(std::clamp(number, -1e9, 1e9)))
            fail(std::string(key) + " must be a whole number");
        return static_cast<int>(number);
    }

    /// An image's id: a number or text.
    std::string idAt(const char* key) const {
        const Json& id = at(key);
        if (!id.is_string() && !id.is_number_integer())
            fail(std::string(key) + " must be a whole number or text");
        return id.is_string() ? id.get<std::string>() : id.dump();
    }

    cv::Rect2d boxAt(const char* key) const {
        const Json& box = at(key);
        const auto number = [](const Json& value) { return value.is_number(); };
        if (!box.is_array() || box.size() != 4 || !std::all_of(box.begin(), box.end(), number))
            fail(std::string(key) + " must be [x, y, width, height]");
        return {box[0], box[1], box[2], box[3]};
    }
};

/// Calls `use` with each entry of the list `key` of `root`.
template <typename Use>
void forEach(const Json& root, const char* key, const std::string& file, Use use) {
    if (!root.is_object() || !root.contains(key) || !root[key].is_array())
        CV_Error(cv::Error::StsParseError,
                 "'" + file + "' has no list '" + key + "'; give COCO annotations of objects");
    std::size_t i = 0;
    for (const Json& json : root[key])
        use(Entry{json, "'" + file + "': " + key + "[" + std::to_string(i++) + "]"});
}

void readCategories(LabelledData& data, const Json& root) {
    forEach(root, "categories", data.name, [&](const Entry& entry) {
        data.classes.push_back({entry.wholeAt("id"), entry.textAt("name")});
    });
    std::sort(data.classes.begin(), data.classes.end(),
              [](const LabelledClass& a, const LabelledClass& b) { return a.id < b.id; });
}

int classIndex(const LabelledData& data, const Entry& entry) {
    const int id = entry.wholeAt("category_id");
    for (std::size_t i = 0; i < data.classes.size(); ++i)
        if (data.classes[i].id == id)
            return static_cast<int>(i);
    entry.fail("'" + data.name + "' has no category " + std::to_string(id));
}

using ImageIndex = std::map<std::string, std::size_t>;

ImageIndex indexImages(const LabelledData& data) {
    ImageIndex index;
    for (std::size_t i = 0; i < data.images.size(); ++i)
        if (!index.emplace(data.images[i].id, i).second)
            CV_Error(cv::Error::StsBadArg, "'" + data.name + "' has two images with the id '" +
                                               data.images[i].id +
                                               "'; give each a name of its own");
    return index;
}

std::size_t imageOf(const Entry& entry, const ImageIndex& index, const LabelledData& data) {
    const std::string id = entry.idAt("image_id");
    const auto place = index.find(id);
    if (place == index.end())
        entry.fail("'" + data.name + "' has no image " + id);
    return place->second;
}

void readAnnotations(LabelledData& data, const Json& root) {
    const ImageIndex index = indexImages(data);
    forEach(root, "annotations", data.name, [&](const Entry& entry) {
        LabelledObject object;
        object.class_index = classIndex(data, entry);
        object.box = entry.boxAt("bbox");
        object.crowd = entry.json.contains("iscrowd") && entry.wholeAt("iscrowd") != 0;
        data.images[imageOf(entry, index, data)].objects.push_back(object);
    });
}

/// The folder that the images' names start from; the JSON's own if none has the first image.
fs::path imageFolder(const fs::path& json, const std::string& images, const fs::path& first) {
    if (!images.empty())
        return images;
    const fs::path here = fs::absolute(json).parent_path();
    const std::string stem = json.stem().string();
    const std::string split = stem.substr(stem.find('_') + 1);
    for (const fs::path& folder :
         {here, here / "images", here / split, here.parent_path(), here.parent_path() / "images",
          here.parent_path() / split, here.parent_path() / "images" / split})
        if (fs::exists(folder / first))
            return folder;
    return here;
}

void readImages(LabelledData& data, const Json& root, const fs::path& json,
                const std::string& images) {
    forEach(root, "images", data.name, [&](const Entry& entry) {
        const cv::Size size(entry.wholeAt("width"), entry.wholeAt("height"));
        if (size.empty())
            entry.fail("width and height must be above 0");
        data.images.push_back({entry.textAt("file_name"), entry.idAt("id"), size, {}});
    });
    if (data.images.empty())
        CV_Error(cv::Error::StsObjectNotFound, "'" + data.name + "' has no images");
    const fs::path folder = imageFolder(json, images, data.images.front().file);
    for (LabelledImage& image : data.images)
        image.file = folder / image.file;
    std::sort(
        data.images.begin(), data.images.end(),
        [](const LabelledImage& a, const LabelledImage& b) { return naturalLess(a.id, b.id); });
}

/// An id as COCO writes it: a number where it is one.
Json idJson(const std::string& id) {
    const bool number = !id.empty() && id.size() < 19 && (id[0] != '0' || id.size() == 1) &&
                        id.find_first_not_of("0123456789") == std::string::npos;
    return number ? Json(std::stoll(id)) : Json(id);
}

std::vector<fs::path> jsonFilesIn(const fs::path& folder, const std::string& split) {
    std::vector<fs::path> files;
    if (fs::is_directory(folder))
        for (const fs::directory_entry& entry : fs::directory_iterator(folder))
            if (entry.path().extension() == ".json" &&
                entry.path().stem().string().find(split) != std::string::npos)
                files.push_back(entry.path());
    return files;
}

bool isInstances(const fs::path& file) {
    return file.filename().string().rfind("instances", 0) == 0;
}

} // namespace

fs::path cocoJsonIn(const fs::path& folder, const std::string& split) {
    for (const fs::path& place : {folder / "annotations", folder})
        for (const std::string& word : {split.empty() ? std::string("val") : split, split}) {
            std::vector<fs::path> files = jsonFilesIn(place, word);
            if (files.size() > 1)
                files.erase(std::remove_if(files.begin(), files.end(),
                                           [](const fs::path& file) { return !isInstances(file); }),
                            files.end());
            if (files.size() == 1)
                return files.front();
        }
    return {};
}

LabelledData openCoco(const fs::path& json, const std::string& images) {
    const Json root = readJson(json.string());
    LabelledData data;
    data.name = json.string();
    readCategories(data, root);
    readImages(data, root, json, images);
    readAnnotations(data, root);
    return data;
}

Detections readCocoResults(const std::string& path, const LabelledData& data) {
    const ImageIndex index = indexImages(data);
    const Json root = {{"detections", readJson(path)}};
    Detections results(data.images.size());
    forEach(root, "detections", path, [&](const Entry& entry) {
        results[imageOf(entry, index, data)].push_back(
            {classIndex(data, entry), entry.numberAt("score"), entry.boxAt("bbox")});
    });
    return results;
}

void writeCocoResults(const std::string& path, const Detections& results,
                      const LabelledData& data) {
    indexImages(data);
    Json list = Json::array();
    for (std::size_t i = 0; i < results.size(); ++i)
        for (const ScoredBox& found : results[i])
            list.push_back(
                {{"image_id", idJson(data.images[i].id)},
                 {"category_id", data.classes[static_cast<std::size_t>(found.class_index)].id},
                 {"bbox", {found.box.x, found.box.y, found.box.width, found.box.height}},
                 {"score", found.score}});
    std::ofstream stream(path);
    stream << list.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    stream.close();
    if (!stream)
        CV_Error(cv::Error::StsError, "'" + path + "' cannot be written; check folder and space");
}

} // namespace vigil
