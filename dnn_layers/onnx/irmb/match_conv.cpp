#include "match_conv.hpp"

#include "match_norm.hpp"

#include <opencv2/core.hpp>

#include <algorithm>

namespace irmb::onnx {
namespace {

/// The one value that all elements of an attribute have.
std::optional<int> uniform(const Shape& values) {
    if (values.empty() || values[0] < 0 || values[0] > 1024 ||
        std::any_of(values.begin(), values.end(), [&](int64_t v) { return v != values[0]; }))
        return std::nullopt;
    return static_cast<int>(values[0]);
}

} // namespace

std::optional<ConvMatch> matchConvNode(const GraphView& view, int index) {
    const Node& node = view.node(index);
    if (!node.is("Conv") || !node.hasInput(1) || node.stringAttr("auto_pad", "NOTSET") != "NOTSET")
        return std::nullopt;
    const Tensor* weight = view.constant(node.inputs[1]);
    const Tensor* bias = node.hasInput(2) ? view.constant(node.inputs[2]) : nullptr;
    const Shape* input = view.shape(node.inputs[0]);
    if (!weight || weight->shape.size() != 4 || !input || input->size() != 4 ||
        (node.hasInput(2) && !bias) || weight->shape[2] != weight->shape[3])
        return std::nullopt;
    const auto stride = uniform(node.intsAttr("strides", {1, 1}));
    const auto dilation = uniform(node.intsAttr("dilations", {1, 1}));
    const auto padding = uniform(node.intsAttr("pads", {0, 0, 0, 0}));
    const int64_t groups = node.intAttr("group", 1);
    if (!stride || !dilation || !padding || groups < 1 || weight->shape[1] * groups != (*input)[1])
        return std::nullopt;

    ConvMatch conv;
    conv.node = index;
    conv.input = node.inputs[0];
    conv.output = node.outputs[0];
    conv.in_channels = static_cast<int>((*input)[1]);
    conv.out_channels = static_cast<int>(weight->shape[0]);
    conv.groups = static_cast<int>(groups);
    conv.kernel = static_cast<int>(weight->shape[2]);
    conv.stride = *stride;
    conv.dilation = *dilation;
    conv.padding = *padding;
    conv.weight = cv::Mat(weight->floats(), true).reshape(1, conv.out_channels);
    if (bias)
        conv.bias = cv::Mat(bias->floats(), true).reshape(1, {conv.out_channels, 1});
    return conv;
}

std::optional<ConvMatch> matchConv(const GraphView& view, const std::string& tensor) {
    const int index = view.producerIndex(tensor);
    return index < 0 ? std::nullopt : matchConvNode(view, index);
}

void addToBias(ConvMatch& conv, double summand) {
    if (summand == 0)
        return;
    if (conv.bias.empty())
        conv.bias = cv::Mat::zeros(conv.out_channels, 1, CV_32F);
    cv::add(conv.bias, summand, conv.bias);
}

int foldBatchNorm(const GraphView& view, ConvMatch& conv) {
    const int index = view.soleConsumer(conv.output);
    if (index < 0 || !view.node(index).is("BatchNormalization"))
        return -1;
    const std::string& output = view.node(index).outputs[0];
    const auto norm = matchNorm(view, output, false);
    if (!norm || norm->norm != Norm::Batch || norm->source != conv.output)
        return -1;
    if (conv.bias.empty())
        conv.bias = cv::Mat::zeros(conv.out_channels, 1, CV_32F);
    for (int o = 0; o < conv.out_channels; ++o) {
        const float scale = norm->scale.at<float>(o);
        cv::Mat row = conv.weight.row(o);
        row.convertTo(row, CV_32F, scale);
        conv.bias.at<float>(o) = conv.bias.at<float>(o) * scale + norm->shift.at<float>(o);
    }
    conv.output = output;
    return index;
}

} // namespace irmb::onnx
