#pragma once

#include "node_context.hpp"

/// The steps of simplify(). Each keeps the meaning of the graph, its order and the names of its
/// outputs, and keeps `facts` true.
namespace irmb::onnx {

/// Drops nodes that pass an input on unchanged.
void removeNoOps(OnnxModel& model, Facts& facts);

/// Lets arithmetic that broadcasts read what an Expand before it read. OpenCV 4.10 divides wrongly
/// by the result of an Expand.
void skipExpands(OnnxModel& model, const Facts& facts);

/// Writes down what nodes leave to defaults: Squeeze, Unsqueeze, Flatten and Reshape become Reshape
/// to explicit sides, Split names its parts, convolution and pooling their whole geometry.
void spellOut(OnnxModel& model, Facts& facts);

/// Joins Reshape after Reshape and Transpose after Transpose.
void mergeChains(OnnxModel& model, Facts& facts);

/// Folds a BatchNormalization into the Conv that feeds only it.
void foldBatchNorms(OnnxModel& model, Facts& facts);

/// A name that no tensor in `facts` has.
std::string freshName(const Facts& facts, std::string name);

/// Adds an initializer under a name made from `name`, which it returns.
std::string addInitializer(OnnxModel& model, Facts& facts, const std::string& name, Tensor tensor);

/// Pointers to the initializers of `graph` by name.
Constants initializersOf(const Graph& graph);

} // namespace irmb::onnx
