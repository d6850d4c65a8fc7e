#pragma once

#include "onnx/graph_view.hpp"

#include <opencv2/core/mat.hpp>

namespace irmb::onnx {

/// A two-dimensional convolution with constant, square and symmetric parameters.
struct ConvMatch {
    int node = -1;
    std::string input;
    std::string output;
    cv::Mat weight; ///< float32 [out, in / groups * kernel * kernel]
    cv::Mat bias;   ///< float32 [out], empty without bias
    int in_channels = 0;
    int out_channels = 0;
    int groups = 1;
    int kernel = 1;
    int stride = 1;
    int dilation = 1;
    int padding = 0;

    bool isPointwise() const { return kernel == 1 && stride == 1 && padding == 0; }
    bool isDepthwise() const { return groups == in_channels && groups == out_channels; }
};

/// The Conv that makes `tensor`, or empty when it is something else or its weights are computed.
std::optional<ConvMatch> matchConv(const GraphView& view, const std::string& tensor);

/// Same for the node with this index.
std::optional<ConvMatch> matchConvNode(const GraphView& view, int index);

/// Adds `summand` to every output.
void addToBias(ConvMatch& conv, double summand);

/// Folds the BatchNormalization that alone reads `conv` into its weights and moves `output` there.
/// Returns the folded node, or -1 when there is none.
int foldBatchNorm(const GraphView& view, ConvMatch& conv);

} // namespace irmb::onnx
