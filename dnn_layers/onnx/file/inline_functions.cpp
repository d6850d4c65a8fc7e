#include "onnx/fault.hpp"
#include "onnx/text.hpp"
#include "raw_model.hpp"

#include <opencv2/core.hpp>

namespace irmb::onnx {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30; // of names and constants after expansion
constexpr const char* kKeptDomain =
    "irmb"; // a body given for our own node is a fallback for others

std::string key(const std::string& domain, const std::string& name) {
    return domain + "::" + name;
}

/// Roughly the memory that a copy of a node takes.
std::size_t footprint(const Node& node) {
    std::size_t bytes = node.name.size() + node.op.size() + node.domain.size();
    for (const std::string& input : node.inputs)
        bytes += input.size() + sizeof(input);
    for (const std::string& output : node.outputs)
        bytes += output.size() + sizeof(output);
    for (const auto& [name, value] : node.attributes) {
        bytes += name.size() + sizeof(value);
        if (const auto* tensor = std::get_if<Tensor>(&value))
            bytes += tensor->data.size();
        else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value))
            bytes += ints->size() * sizeof(int64_t);
        else if (const auto* floats = std::get_if<std::vector<float>>(&value))
            bytes += floats->size() * sizeof(float);
        else if (const auto* text = std::get_if<std::string>(&value))
            bytes += text->size();
        else if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
            for (const std::string& entry : *texts)
                bytes += entry.size() + sizeof(entry);
    }
    return bytes;
}

class Inliner {
public:
    explicit Inliner(const RawModel& raw) : opset_(raw.model.opset()) {
        for (const Function& function : raw.functions)
            if (function.domain != kKeptDomain &&
                !functions_.emplace(key(function.domain, function.name), &function).second)
                refuseFile("function " + quoted(function.name) + " is defined twice");
    }

    void add(RawNode node, int depth);
    std::vector<RawNode> result;

private:
    void call(const Function& function, const RawNode& site, int depth);

    int64_t opset_;
    std::map<std::string, const Function*> functions_;
    std::size_t calls_ = 0;
    std::size_t bytes_ = 0;
};

void Inliner::add(RawNode node, int depth) {
    const auto it = functions_.find(key(node.node.domain, node.node.op));
    if (it != functions_.end())
        return call(*it->second, node, depth);
    if (result.size() >= kMaxItems)
        refuseFile("more than " + std::to_string(kMaxItems) + " nodes once functions are expanded");
    result.push_back(std::move(node));
}

/// Attributes of a body's node that stand for attributes of the call get their values.
void bindAttributes(RawNode& node, const RawNode& site, const Function& function) {
    for (const auto& [name, source] : node.references) {
        const auto given = site.node.attributes.find(source);
        const auto fallback = function.defaults.find(source);
        if (given != site.node.attributes.end())
            node.node.attributes[name] = given->second;
        else if (fallback != function.defaults.end())
            node.node.attributes[name] = fallback->second;
    }
    node.references.clear();
}

void Inliner::call(const Function& function, const RawNode& site, int depth) {
    if (depth >= kMaxDepth || ++calls_ > kMaxItems)
        refuseFile("function " + quoted(function.name) + " is called too deep or too often");
    const auto version = function.opsets.find("");
    if (version != function.opsets.end() && version->second != opset_)
        refuseFile("function " + quoted(function.name) + " is written in opset " +
                   std::to_string(version->second) + ", the model in " + std::to_string(opset_));

    const std::string prefix = "fn" + std::to_string(calls_) + "/";
    std::map<std::string, std::string> names = {{"", ""}};
    for (std::size_t i = 0; i < function.inputs.size(); ++i)
        names[function.inputs[i]] = i < site.node.inputs.size() ? site.node.inputs[i] : "";
    for (std::size_t i = 0; i < function.outputs.size() && i < site.node.outputs.size(); ++i) {
        const std::string& outer = site.node.outputs[i];
        if (outer.empty())
            continue;
        const auto [known, is_new] = names.emplace(function.outputs[i], outer);
        if (!is_new) {
            RawNode copy; // an input that is handed straight through
            copy.node.op = "Identity";
            copy.node.name = prefix + "Identity";
            copy.node.inputs = {known->second};
            copy.node.outputs = {outer};
            add(std::move(copy), depth + 1);
        }
    }

    const auto rename = [&](std::string& name) {
        const auto it = names.find(name);
        name = it != names.end() ? it->second : prefix + name;
    };
    for (const RawNode& original : function.nodes) {
        bytes_ += footprint(original.node);
        if (bytes_ > kMaxBytes)
            refuseFile("the functions expand to more than 1 GiB");
        RawNode node = original;
        bindAttributes(node, site, function);
        for (std::string& input : node.node.inputs)
            rename(input);
        for (std::string& output : node.node.outputs)
            rename(output);
        node.node.name = prefix + node.node.name;
        add(std::move(node), depth + 1);
    }
}

} // namespace

void inlineFunctions(RawModel& raw) {
    if (raw.functions.empty())
        return;
    Inliner inliner(raw);
    for (RawNode& node : raw.nodes)
        inliner.add(std::move(node), 0);
    raw.nodes = std::move(inliner.result);
}

} // namespace irmb::onnx
