#include "output.hpp"

#include "detect/acceleration_json.hpp"

#include <opencv2/core/utility.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>

namespace vigil {
namespace {

/// Length in bytes of a direction mark of Unicode (U+200E, U+200F, U+202A-E, U+2066-9) or of a C1
/// control character in UTF-8 at `at`, else 0.
std::size_t unsafeSequence(const std::string& text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
    };
    if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) < 0xa0)
        return 2;
    if (byte(0) != 0xe2)
        return 0;
    const bool mark = byte(1) == 0x80 &&
                      (byte(2) == 0x8e || byte(2) == 0x8f || (byte(2) >= 0xa8 && byte(2) <= 0xae));
    const bool isolate = byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9;
    return mark || isolate ? 3 : 0;
}

Json blockJson(const irmb::BlockReport& block) {
    return {{"name", block.name},     {"outcome", outcomeName(block.outcome)},
            {"reason", block.reason}, {"channels", block.dim_in},
            {"height", block.height}, {"width", block.width}};
}

} // namespace

void printJson(const Json& json) {
    std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string printable(const std::string& text) {
    std::string safe;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t skip = unsafeSequence(text, i);
        const unsigned char byte = static_cast<unsigned char>(text[i]);
        safe += skip > 0 || byte < 0x20 || byte == 0x7f ? '?' : text[i];
        i += std::max<std::size_t>(skip, 1);
    }
    return safe;
}

std::string sizeText(cv::Size size) {
    return std::to_string(size.width) + "x" + std::to_string(size.height);
}

std::string countText(int count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i)
        text += (i == 0 ? "" : separator) + parts[i];
    return text;
}

std::string headName(irmb::HeadKind head) {
    switch (head) {
    case irmb::HeadKind::RawXyxy:
        return "raw_xyxy";
    case irmb::HeadKind::RawCxcywh:
        return "raw_cxcywh";
    case irmb::HeadKind::EndToEnd:
        return "end_to_end";
    case irmb::HeadKind::None:
        break;
    }
    return "none";
}

std::string outcomeName(irmb::BlockReport::Outcome outcome) {
    switch (outcome) {
    case irmb::BlockReport::Outcome::Whole:
        return "whole";
    case irmb::BlockReport::Outcome::Core:
        return "core";
    case irmb::BlockReport::Outcome::Unfused:
        break;
    }
    return "unfused";
}

void FactList::print(std::ostream& out) const {
    std::size_t width = 0;
    for (const auto& fact : facts_)
        width = std::max(width, fact.first.size());
    for (const auto& [name, value] : facts_)
        out << std::left << std::setw(static_cast<int>(width) + 2) << name << value << '\n';
}

void addFusion(Json& json, const irmb::FusionReport& report) {
    json["fused"] = report.whole();
    json["core"] = report.core();
    json["unfused"] = report.unfused();
    json["blocks"] = Json::array();
    for (const irmb::BlockReport& block : report.blocks)
        json["blocks"].push_back(blockJson(block));
    json["notes"] = report.notes;
}

void addRuntime(Json& json, const LoadedModel& loaded) {
    json["engine"] = loaded.model.engine;
    json["backend"] = loaded.backend.name;
    json["precision"] = loaded.backend.precision;
    json["cpu_acceleration"] = accelerationJson(loaded.model.acceleration);
    json["byte_input"] = loaded.model.byte_input;
    json["attention_layers"] = loaded.model.attention_layers;
    json["candidates"] = loaded.model.candidates;
    json["threads"] = cv::getNumThreads();
    json["opencv"] = cv::getVersionString();
}

std::string accelerationText(const irmb::AccelerationReport& report) {
    if (report.regions == 0)
        return "none: " + report.reason;
    return "Vigil's kernels and " + report.library + " run " + std::to_string(report.accelerated) +
           " of " + countText(report.operators, "operator");
}

std::string fusionText(const irmb::FusionReport& report) {
    return std::to_string(report.whole()) + " fused whole, " + std::to_string(report.core()) +
           " as core, " + std::to_string(report.unfused()) + " left as standard operators";
}

void printFusion(std::ostream& out, const irmb::FusionReport& report) {
    for (const irmb::BlockReport& block : report.blocks) {
        out << "  " << std::left << std::setw(8) << outcomeName(block.outcome) << block.dim_in
            << " channels @ " << sizeText({block.width, block.height}) << "  "
            << printable(block.name);
        if (!block.reason.empty())
            out << ": " << printable(block.reason);
        out << '\n';
    }
    for (const std::string& note : report.notes)
        out << "  note    " << printable(note) << '\n';
}

} // namespace vigil
