#pragma once

#include "model_options.hpp"

#include <irmb_dnn/model.hpp>

#include <nlohmann/json.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace vigil {

using Json = nlohmann::ordered_json;

/// Prints `json` indented on standard output. Bytes that are not UTF-8 are replaced, numbers that
/// are not finite become null.
void printJson(const Json& json);

/// Text from a file, safe for a terminal: control characters and marks that change the direction
/// of writing become '?'.
std::string printable(const std::string& text);

/// "640x480"
std::string sizeText(cv::Size size);
/// "1 block", "2 blocks"
std::string countText(int count, const std::string& noun);
std::string join(const std::vector<std::string>& parts, const std::string& separator = ", ");

/// Identifier of a head in JSON: "none", "raw_xyxy", "raw_cxcywh" or "end_to_end".
std::string headName(irmb::HeadKind head);
/// "whole", "core" or "unfused"
std::string outcomeName(irmb::BlockReport::Outcome outcome);

/// Lines "  name   value" with the values below each other.
class FactList {
public:
    void add(const std::string& name, const std::string& value) { facts_.push_back({name, value}); }
    void print(std::ostream& out) const;

private:
    std::vector<std::pair<std::string, std::string>> facts_;
};

/// Counts, blocks with reasons, and notes.
void addFusion(Json& json, const irmb::FusionReport& report);
/// What runs the model: engine, backend, target, precision, threads and OpenCV's version.
void addRuntime(Json& json, const LoadedModel& loaded);
/// "Vigil's kernels and oneDNN 2.6.3 run 120 of 130 operators", or why it runs none
std::string accelerationText(const irmb::AccelerationReport& report);
/// "3 fused whole, 0 as core, 0 left as standard operators"
std::string fusionText(const irmb::FusionReport& report);
/// One line for each block, and one for each note.
void printFusion(std::ostream& out, const irmb::FusionReport& report);

} // namespace vigil
