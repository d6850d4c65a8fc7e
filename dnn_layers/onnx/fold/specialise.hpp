#pragma once

#include "onnx/graph.hpp"

#include <string>

namespace irmb::onnx {

/// Fixes the shapes of the graph inputs, infers the shape of every tensor and folds everything that
/// does not depend on input pixels (shape arithmetic, constants) into initializers. Afterwards the
/// graph is static wherever its operators are known; nodes whose shape could not be inferred stay,
/// and their tensors have no shape in the result.
///
/// `input_shapes`: full static shape for each graph input by name.
/// Returns the facts of every tensor of the folded graph (inputs, initializers, node outputs).
/// Throws cv::Exception when shapes contradict each other, naming the node.
Facts specialise(OnnxModel& model, const std::map<std::string, Shape>& input_shapes);

/// Shape and type inference alone, over a graph that is already static. Used after rewrites.
Facts inferFacts(const OnnxModel& model);

/// Removes what does nothing (Identity, Dropout, Cast to the same type, zero Pad, full Slice,
/// Reshape and Expand to the same shape, single-input Concat ...) and folds BatchNormalization into
/// a Conv that feeds only it. Keeps the names of graph outputs.
void simplify(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
