#include "match_local_branch.hpp"

#include "match_activation.hpp"
#include "match_conv.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

class LocalBranchMatcher {
public:
    LocalBranchMatcher(const GraphView& view, const std::string& y, const IrmbParams& params,
                       const IrmbWeights& weights)
        : view_(view), y_(y), match_{params, weights, {}, {}, {}, {}} {
        match_.params.part = Part::Block;
    }

    LocalBranchMatch run() {
        match_.mismatch = findDepthwise();
        if (match_.mismatch.empty())
            match_.mismatch = findSilu();
        if (match_.mismatch.empty())
            match_.mismatch = findExcitation();
        if (match_.mismatch.empty()) {
            findInnerSkip();
            match_.mismatch = findProjection();
        }
        if (match_.mismatch.empty())
            match_.mismatch = findOuterSkip();
        if (match_.mismatch.empty())
            match_.mismatch = checkUses();
        return std::move(match_);
    }

private:
    std::string findDepthwise() {
        std::optional<ConvMatch> found;
        for (const int reader : view_.links().consumers(y_)) {
            auto conv = matchConvNode(view_, reader);
            if (!conv || conv->input != y_ || !conv->isDepthwise())
                continue;
            if (found)
                return "its local branch has several depthwise convolutions";
            found = conv;
        }
        if (!found)
            return "its local branch is not a depthwise convolution";
        match_.nodes.insert(found->node);
        if (const int norm = foldBatchNorm(view_, *found); norm >= 0)
            match_.nodes.insert(norm);
        match_.params.dim_mid = found->out_channels;
        match_.params.dw_ks = found->kernel;
        match_.params.stride = found->stride;
        match_.params.dilation = found->dilation;
        if (found->padding != match_.params.dwPadding())
            return "its depthwise convolution has a padding of " + std::to_string(found->padding) +
                   " instead of " + std::to_string(match_.params.dwPadding());
        match_.weights.local_weight = found->weight.reshape(
            1, std::vector<int>{found->out_channels, found->kernel, found->kernel});
        match_.weights.local_bias = found->bias.empty()
                                        ? cv::Mat(cv::Mat::zeros(found->out_channels, 1, CV_32F))
                                        : found->bias;
        branch_ = found->output;
        return {};
    }

    std::string findSilu() {
        for (const int reader : view_.links().consumers(branch_)) {
            const std::string& output = view_.node(reader).outputs[0];
            const auto act = matchActivation(view_, output);
            if (!act || act->act != Activation::Silu || act->source != branch_)
                continue;
            addNodes(act->nodes);
            branch_ = output;
            return {};
        }
        return "its depthwise convolution is not followed by SiLU";
    }

    /// Squeeze and excitation, where there is one: t * sigmoid(expand(act(reduce(mean(t)))))
    std::string findExcitation() {
        for (const int reader : view_.links().consumers(branch_)) {
            const Node& gate = view_.node(reader);
            if (!gate.is("Mul"))
                continue;
            const std::string& other = gate.inputs[gate.inputs[0] == branch_ ? 1 : 0];
            if (takeExcitation(other)) {
                match_.nodes.insert(reader);
                branch_ = gate.outputs[0];
                if (match_.params.hasVConv() && se_act_ != match_.params.act)
                    return "its squeeze and excitation has another activation than v";
                match_.params.act = se_act_;
                break;
            }
        }
        return {};
    }

    bool takeExcitation(const std::string& gate) {
        const auto sigmoid = matchActivation(view_, gate);
        if (!sigmoid || sigmoid->act != Activation::Sigmoid)
            return false;
        const auto expand = matchConv(view_, sigmoid->source);
        auto act = expand ? matchScaledActivation(view_, expand->input) : std::nullopt;
        auto reduce = act ? matchConv(view_, act->source) : std::nullopt;
        if (!reduce || !isDense(*expand) || !isDense(*reduce) || !isSpatialMean(reduce->input))
            return false;
        if (match_.params.act == Activation::HardSigmoid && act->act == Activation::Relu6)
            act = asHardSigmoid(*act);
        addToBias(*reduce, act->offset);
        match_.params.se_channels = reduce->out_channels;
        se_act_ = act->act;
        match_.weights.se_slope = act->slope;
        match_.weights.se_reduce_weight = reduce->weight;
        match_.weights.se_reduce_bias = orZeros(*reduce);
        match_.weights.se_expand_weight = expand->weight * act->gain;
        match_.weights.se_expand_bias = orZeros(*expand);
        addNodes(sigmoid->nodes);
        addNodes(act->nodes);
        match_.nodes.insert({expand->node, reduce->node, view_.producerIndex(reduce->input)});
        return true;
    }

    static cv::Mat orZeros(const ConvMatch& conv) {
        return conv.bias.empty() ? cv::Mat(cv::Mat::zeros(conv.out_channels, 1, CV_32F))
                                 : conv.bias;
    }

    static bool isDense(const ConvMatch& conv) { return conv.isPointwise() && conv.groups == 1; }

    bool isSpatialMean(const std::string& tensor) const {
        const Node* node = view_.producer(tensor);
        if (!node || node->inputs[0] != branch_)
            return false;
        if (node->is("GlobalAveragePool"))
            return true;
        if (!node->is("ReduceMean") || node->intAttr("keepdims", 1) != 1)
            return false;
        const Tensor* axes = node->hasInput(1) ? view_.constant(node->inputs[1]) : nullptr;
        Shape list = axes ? axes->ints() : node->intsAttr("axes");
        for (int64_t& axis : list)
            axis = axis < 0 ? axis + 4 : axis;
        std::sort(list.begin(), list.end());
        return list == Shape{2, 3};
    }

    /// y + l; the branch itself where y has no other reader.
    void findInnerSkip() {
        for (const int reader : view_.links().consumers(branch_)) {
            const Node& node = view_.node(reader);
            if (!node.is("Add") || !((node.inputs[0] == y_ && node.inputs[1] == branch_) ||
                                     (node.inputs[1] == y_ && node.inputs[0] == branch_)))
                continue;
            match_.params.has_skip = true;
            match_.nodes.insert(reader);
            branch_ = node.outputs[0];
            return;
        }
        match_.params.has_skip = false;
    }

    std::string findProjection() {
        const int reader = view_.soleConsumer(branch_);
        const auto conv = reader < 0 ? std::nullopt : matchConvNode(view_, reader);
        if (!conv || !isDense(*conv) || conv->input != branch_)
            return "its local branch is not followed by a 1x1 convolution alone";
        match_.nodes.insert(conv->node);
        match_.params.dim_out = conv->out_channels;
        match_.params.proj_bias = !conv->bias.empty();
        match_.weights.proj_weight = conv->weight;
        match_.weights.proj_bias = conv->bias;
        match_.output = conv->output;
        return {};
    }

    /// With the inner residual the projection must go into the outer one and nowhere else. Whether
    /// that one adds the block's input is for the caller to compare.
    std::string findOuterSkip() {
        if (!match_.params.has_skip)
            return {};
        const int reader = view_.soleConsumer(match_.output);
        if (reader < 0 || !view_.node(reader).is("Add"))
            return "it has the inner residual without the outer one";
        const Node& add = view_.node(reader);
        match_.skip = add.inputs[add.inputs[0] == match_.output ? 1 : 0];
        match_.nodes.insert(reader);
        match_.output = add.outputs[0];
        return {};
    }

    std::string checkUses() {
        std::vector<std::string> inner{y_};
        for (const int index : match_.nodes)
            for (const std::string& tensor : view_.node(index).outputs)
                if (!tensor.empty() && tensor != match_.output)
                    inner.push_back(tensor);
        for (const std::string& tensor : inner) {
            const std::vector<int>& readers = view_.links().consumers(tensor);
            if (view_.links().isOutput(tensor) ||
                std::any_of(readers.begin(), readers.end(),
                            [&](int reader) { return match_.nodes.count(reader) == 0; }))
                return "its inner tensor '" + tensor + "' is used elsewhere as well";
        }
        return {};
    }

    void addNodes(const std::vector<int>& nodes) {
        match_.nodes.insert(nodes.begin(), nodes.end());
    }

    const GraphView& view_;
    std::string y_;
    std::string branch_; ///< end of what was matched so far
    Activation se_act_ = Activation::None;
    LocalBranchMatch match_;
};

} // namespace

LocalBranchMatch matchLocalBranch(const GraphView& view, const std::string& y,
                                  const IrmbParams& params, const IrmbWeights& weights) {
    return LocalBranchMatcher(view, y, params, weights).run();
}

} // namespace irmb::onnx
