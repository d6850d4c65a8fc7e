#pragma once

#include "onnx/graph.hpp"

#include <irmb_dnn/irmb_params.hpp>

namespace irmb::onnx {

constexpr char irmb_domain[] = "irmb";
constexpr char irmb_op[] = "iRMB";

bool isIrmb(const Node& node);

/// The node `irmb::iRMB` for these parameters. Its weights become initializers of `model` that are
/// named after `output`, and the model imports the domain.
Node makeIrmb(OnnxModel& model, Facts& facts, const std::string& input, const std::string& output,
              const IrmbParams& params, const IrmbWeights& weights);

/// Parameters and weights of an `irmb::iRMB` node whose input has `channels` channels.
/// Throws cv::Exception that names the node when attributes or weights are not as specified.
std::pair<IrmbParams, IrmbWeights> readIrmb(const Graph& graph, const Node& node, int channels);

} // namespace irmb::onnx
