#pragma once

#include "graph.hpp"

namespace irmb::onnx {

/// The shape of `tensor`, or nullptr where it is not known.
inline const Shape* staticShape(const Facts& facts, const std::string& tensor) {
    const auto found = facts.find(tensor);
    return found == facts.end() || !found->second.shape ? nullptr : &*found->second.shape;
}

} // namespace irmb::onnx
