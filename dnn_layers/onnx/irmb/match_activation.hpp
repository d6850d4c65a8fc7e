#pragma once

#include "onnx/graph_view.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <opencv2/core/mat.hpp>

namespace irmb::onnx {

/// An activation with the tensor it is applied to: the tensor is gain * act(source + offset).
struct ActivationMatch {
    Activation act = Activation::None;
    std::string source;
    double gain = 1;        ///< simplifiers move a constant factor into the next convolution
    double offset = 0;      ///< and a constant summand into the one in front
    cv::Mat slope;          ///< float32 [1] or [channels], Activation::Prelu only
    std::vector<int> nodes; ///< the nodes between source and result
};

/// Finds out which activation makes `tensor`, by what its element-wise operators compute and not by
/// how they are spelled. A tensor that no element-wise operator makes has Activation::None.
/// Empty when the operators compute something that is not in the list.
std::optional<ActivationMatch> matchScaledActivation(const GraphView& view,
                                                     const std::string& tensor);

/// The same, with a gain of 1 only.
std::optional<ActivationMatch> matchActivation(const GraphView& view, const std::string& tensor);

/// The same for what `tensor` is of `source`, whatever makes that. PReLU and its like are left out.
std::optional<ActivationMatch> matchActivationOf(const GraphView& view, const std::string& source,
                                                 const std::string& tensor);

/// A match of relu6 in other words: relu6(x) = 6 * hsigmoid(x - 3).
ActivationMatch asHardSigmoid(ActivationMatch relu6);

} // namespace irmb::onnx
