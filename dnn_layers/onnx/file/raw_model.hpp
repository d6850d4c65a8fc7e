#pragma once

#include "onnx/graph.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// What stands in the file, checked for itself but not yet as a whole. Private to the reader.
namespace irmb::onnx {

/// Lists in a file are refused beyond this length, so that a small file cannot ask for much memory.
constexpr std::size_t kMaxItems = 200000;

struct RawNode {
    Node node;
    std::map<std::string, std::string> references; ///< attribute -> attribute of the function
    std::string unsupported; ///< name of an attribute that cannot be kept (a subgraph, say)
};

/// An ONNX local function: a subroutine made of nodes.
struct Function {
    std::string domain;
    std::string name;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::map<std::string, Attribute> defaults;
    std::map<std::string, int64_t> opsets;
    std::vector<RawNode> nodes;
};

struct RawModel {
    OnnxModel model; ///< without nodes and initializers
    std::vector<RawNode> nodes;
    std::vector<std::pair<std::string, Tensor>> initializers;
    std::vector<Function> functions;
};

/// Decodes a ModelProto. External data is looked for in `folder`.
RawModel decodeModel(const std::vector<uint8_t>& bytes, const std::string& folder);

/// Replaces calls of the model's own functions by their bodies.
void inlineFunctions(RawModel& raw);

/// Checks the model as a whole and brings it to the form that the passes rely on: see Graph.
OnnxModel settle(RawModel raw);

} // namespace irmb::onnx
