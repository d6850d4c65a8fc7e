#include "custom_node.hpp"
#include "fuse_irmb.hpp"
#include "onnx/fault.hpp"
#include "onnx/fold/specialise.hpp"

#include <opencv2/core.hpp>

#include <cmath>

namespace irmb::onnx {
namespace {

/// Writes one iRMB with standard operators that every OpenCV from 4.10 on imports and that its CUDA
/// backend supports: static shapes, Split instead of Gather, at most six dimensions.
class Expander {
public:
    Expander(OnnxModel& model, Facts& facts, const Node& node, const Shape& x)
        : model_(model), facts_(facts), node_(node), batch_(x[0]), height_(x[2]), width_(x[3]) {
        std::tie(p_, w_) = readIrmb(model.graph, node, static_cast<int>(x[1]));
        channels_ = x[1];
        heads_ = p_.attention ? p_.heads() : 1;
    }

    std::vector<Node> run() {
        const std::string x = node_.inputs[0];
        std::string y = norm(x);
        if (p_.attention)
            y = attention(y);
        else if (p_.v_proj)
            y = value(y);
        if (p_.part == Part::Block)
            y = localBranch(x, y);
        nodes_.back().outputs[0] = node_.outputs[0];
        return std::move(nodes_);
    }

private:
    using Attributes = std::map<std::string, Attribute>;

    /// Adds a node with one output and returns the output's name.
    std::string add(const std::string& op, std::vector<std::string> inputs,
                    Attributes attributes = {}) {
        const std::string output = freshName();
        nodes_.push_back({op, "", output, std::move(inputs), {output}, std::move(attributes)});
        return output;
    }

    std::string freshName() { return node_.outputs[0] + "/expanded_" + std::to_string(counter_++); }

    std::string constant(Tensor tensor) {
        const std::string name = freshName();
        facts_[name] = {tensor.type, tensor.shape};
        model_.graph.initializers[name] = std::move(tensor);
        return name;
    }

    std::string scalar(float value) { return constant(Tensor::scalar(value)); }

    std::string weight(const cv::Mat& mat, const Shape& shape) {
        const float* values = mat.ptr<float>();
        return constant(
            Tensor::fromFloats(shape, std::vector<float>(values, values + mat.total())));
    }

    std::string filled(int64_t count, float value) {
        return constant(Tensor::fromFloats({count}, std::vector<float>(count, value)));
    }

    std::string reshape(const std::string& x, const Shape& shape) {
        return add("Reshape",
                   {x, constant(Tensor::fromInts({static_cast<int64_t>(shape.size())}, shape))});
    }

    std::string transpose(const std::string& x, Shape order) {
        return add("Transpose", {x}, {{"perm", std::move(order)}});
    }

    /// Mean with kept dimensions; the axes moved from attribute to input in opset 18.
    std::string mean(const std::string& x, Shape axes) {
        if (model_.opset() < 18)
            return add("ReduceMean", {x}, {{"axes", std::move(axes)}, {"keepdims", int64_t(1)}});
        const int64_t count = static_cast<int64_t>(axes.size());
        return add("ReduceMean", {x, constant(Tensor::fromInts({count}, axes))},
                   {{"keepdims", int64_t(1)}});
    }

    std::string conv(const std::string& x, const cv::Mat& kernel, const Shape& shape,
                     const cv::Mat& bias, int64_t groups, int64_t stride = 1, int64_t dilation = 1,
                     int64_t padding = 0) {
        std::vector<std::string> inputs{x, weight(kernel, shape)};
        if (!bias.empty())
            inputs.push_back(weight(bias, {shape[0]}));
        return add("Conv", std::move(inputs),
                   {{"kernel_shape", Shape{shape[2], shape[3]}},
                    {"strides", Shape{stride, stride}},
                    {"dilations", Shape{dilation, dilation}},
                    {"pads", Shape(4, padding)},
                    {"group", groups}});
    }

    std::string pointwise(const std::string& x, const cv::Mat& kernel, const cv::Mat& bias,
                          int64_t out, int64_t in, int64_t groups = 1) {
        return conv(x, kernel, {out, in / groups, 1, 1}, bias, groups);
    }

    std::string clip(const std::string& x, float low, float high) {
        return add("Clip", {x, scalar(low), scalar(high)});
    }

    std::string activate(Activation act, const std::string& x, const cv::Mat& slope) {
        switch (act) {
        case Activation::None:
            return x;
        case Activation::Relu:
            return add("Relu", {x});
        case Activation::Relu6:
            return clip(x, 0, 6);
        case Activation::Silu:
            return add("Mul", {x, add("Sigmoid", {x})});
        case Activation::Gelu:
            return gelu(x);
        case Activation::HardSwish:
            return add("Mul", {x, hardSigmoid(x)});
        case Activation::HardSigmoid:
            return hardSigmoid(x);
        case Activation::Sigmoid:
            return add("Sigmoid", {x});
        case Activation::Tanh:
            return add("Tanh", {x});
        case Activation::Mish:
            return add("Mul", {x, add("Tanh", {add("Softplus", {x})})});
        case Activation::Prelu:
            return add("PRelu", {x, weight(slope, {static_cast<int64_t>(slope.total()), 1, 1})});
        }
        return x;
    }

    std::string hardSigmoid(const std::string& x) {
        return add("Div", {clip(add("Add", {x, scalar(3)}), 0, 6), scalar(6)});
    }

    std::string gelu(const std::string& x) {
        const std::string erf =
            add("Erf", {add("Div", {x, scalar(static_cast<float>(std::sqrt(2.0)))})});
        return add("Mul", {add("Mul", {x, add("Add", {erf, scalar(1)})}), scalar(0.5f)});
    }

    std::string affine(const std::string& x) {
        const Shape shape{1, channels_, 1, 1};
        return add("Add",
                   {add("Mul", {x, weight(w_.norm_scale, shape)}), weight(w_.norm_shift, shape)});
    }

    std::string norm(const std::string& x) {
        switch (p_.norm) {
        case Norm::None:
            return x;
        case Norm::Batch:
            return batchNorm(x);
        case Norm::Layer:
            return layerNorm(x);
        case Norm::Instance:
            return add("InstanceNormalization",
                       {x, weight(w_.norm_scale, {channels_}), weight(w_.norm_shift, {channels_})},
                       {{"epsilon", p_.norm_eps}});
        case Norm::Group:
            return groupNorm(x);
        }
        return x;
    }

    std::string batchNorm(const std::string& x) {
        return add("BatchNormalization",
                   {x, weight(w_.norm_scale, {channels_}), weight(w_.norm_shift, {channels_}),
                    filled(channels_, 0), filled(channels_, 1)},
                   {{"epsilon", 0.f}});
    }

    std::string layerNorm(const std::string& x) {
        const std::string centred = add("Sub", {x, mean(x, {1})});
        const std::string variance = mean(add("Mul", {centred, centred}), {1});
        const std::string deviation = add("Sqrt", {add("Add", {variance, scalar(p_.norm_eps)})});
        return affine(add("Div", {centred, deviation}));
    }

    std::string groupNorm(const std::string& x) {
        const int64_t groups = p_.norm_groups;
        const int64_t size = channels_ / groups * height_ * width_;
        const std::string normalised =
            add("InstanceNormalization",
                {reshape(x, {batch_, groups, size}), filled(groups, 1), filled(groups, 0)},
                {{"epsilon", p_.norm_eps}});
        return affine(reshape(normalised, {batch_, channels_, height_, width_}));
    }

    std::string value(const std::string& x) {
        const int64_t groups = p_.attention && p_.v_group ? heads_ : 1;
        return activate(p_.act, pointwise(x, w_.v_weight, w_.v_bias, p_.dim_mid, channels_, groups),
                        w_.v_slope);
    }

    /// Strided windows [B n1 n2, channels, h1, w1] of a padded map.
    std::string partition(std::string x) {
        if (padded_height_ != height_ || padded_width_ != width_)
            x = add("Pad",
                    {x, constant(Tensor::fromInts({8}, {0, 0, 0, 0, 0, 0, padded_height_ - height_,
                                                        padded_width_ - width_}))},
                    {{"mode", std::string("constant")}});
        if (n1_ * n2_ == 1)
            return x;
        x = reshape(x, {batch_, channels_, rows_, n1_, cols_, n2_});
        return reshape(transpose(x, {0, 3, 5, 1, 2, 4}),
                       {batch_ * n1_ * n2_, channels_, rows_, cols_});
    }

    std::string unpartition(std::string y) {
        const int64_t m = p_.dim_mid;
        if (n1_ * n2_ > 1) {
            y = reshape(y, {batch_, n1_, n2_, m, rows_, cols_});
            y = reshape(transpose(y, {0, 3, 4, 1, 5, 2}),
                        {batch_, m, padded_height_, padded_width_});
        }
        if (padded_height_ == height_ && padded_width_ == width_)
            return y;
        return add("Slice", {y, constant(Tensor::fromInts({2}, {0, 0})),
                             constant(Tensor::fromInts({2}, {height_, width_})),
                             constant(Tensor::fromInts({2}, {2, 3}))});
    }

    /// [B', channels, h1, w1] to [B', heads, tokens, dim], or [.., dim, tokens].
    std::string splitHeads(const std::string& x, int64_t dim, bool tokens_first) {
        const std::string y = reshape(x, {windows(), heads_, dim, rows_ * cols_});
        return tokens_first ? transpose(y, {0, 1, 3, 2}) : y;
    }

    std::string mergeHeads(const std::string& y, int64_t dim) {
        return reshape(transpose(y, {0, 1, 3, 2}), {windows(), heads_ * dim, rows_, cols_});
    }

    int64_t windows() const { return batch_ * n1_ * n2_; }

    void setWindows() {
        rows_ = p_.window_size > 0 ? p_.window_size : height_;
        cols_ = p_.window_size > 0 ? p_.window_size : width_;
        n1_ = (height_ + rows_ - 1) / rows_;
        n2_ = (width_ + cols_ - 1) / cols_;
        padded_height_ = n1_ * rows_;
        padded_width_ = n2_ * cols_;
    }

    std::string attention(const std::string& x) {
        setWindows();
        const std::string win = partition(x);
        const std::string qk = pointwise(win, w_.qk_weight, w_.qk_bias, 2 * channels_, channels_);
        const auto [q, k] = splitInTwo(qk);
        const float scale = 1.f / std::sqrt(static_cast<float>(p_.dim_head));
        const std::string product =
            add("MatMul", {splitHeads(q, p_.dim_head, true), splitHeads(k, p_.dim_head, false)});
        const std::string logits = add("Mul", {product, scalar(scale)});
        const std::string weights = add("Softmax", {logits}, {{"axis", int64_t(-1)}});
        if (p_.attn_pre) {
            const std::string gathered =
                add("MatMul", {weights, splitHeads(win, p_.dim_head, true)});
            return unpartition(value(mergeHeads(gathered, p_.dim_head)));
        }
        const int64_t dim = p_.dim_mid / heads_;
        const std::string attended = add("MatMul", {weights, splitHeads(value(win), dim, true)});
        return unpartition(mergeHeads(attended, dim));
    }

    std::pair<std::string, std::string> splitInTwo(const std::string& qk) {
        const std::string q = freshName();
        const std::string k = freshName();
        Node node{"Split", "", q, {qk}, {q, k}, {{"axis", int64_t(1)}}};
        if (model_.opset() < 13)
            node.attributes["split"] = Shape{channels_, channels_};
        else
            node.inputs.push_back(constant(Tensor::fromInts({2}, {channels_, channels_})));
        nodes_.push_back(std::move(node));
        return {q, k};
    }

    std::string localBranch(const std::string& x, std::string y) {
        const int64_t m = p_.dim_mid;
        std::string local = conv(y, w_.local_weight, {m, 1, p_.dw_ks, p_.dw_ks}, w_.local_bias, m,
                                 p_.stride, p_.dilation, p_.dwPadding());
        local = activate(Activation::Silu, local, {});
        if (p_.se_channels > 0)
            local = excite(local);
        y = p_.has_skip ? add("Add", {y, local}) : local;
        y = pointwise(y, w_.proj_weight, w_.proj_bias, p_.dim_out, m);
        return p_.has_skip ? add("Add", {x, y}) : y;
    }

    std::string excite(const std::string& x) {
        const int64_t m = p_.dim_mid;
        std::string gate = mean(x, {2, 3});
        gate = pointwise(gate, w_.se_reduce_weight, w_.se_reduce_bias, p_.se_channels, m);
        gate = activate(p_.act, gate, w_.se_slope);
        gate = pointwise(gate, w_.se_expand_weight, w_.se_expand_bias, m, p_.se_channels);
        return add("Mul", {x, add("Sigmoid", {gate})});
    }

    OnnxModel& model_;
    Facts& facts_;
    const Node node_;
    IrmbParams p_;
    IrmbWeights w_;
    int64_t batch_;
    int64_t height_;
    int64_t width_;
    int64_t channels_ = 0;
    int64_t heads_ = 1;
    int64_t rows_ = 0;
    int64_t cols_ = 0;
    int64_t n1_ = 0;
    int64_t n2_ = 0;
    int64_t padded_height_ = 0;
    int64_t padded_width_ = 0;
    std::vector<Node> nodes_;
    int counter_ = 0;
};

} // namespace

int expandIrmbs(OnnxModel& model, Facts& facts) {
    std::vector<Node> nodes;
    int count = 0;
    for (Node& node : model.graph.nodes) {
        if (!isIrmb(node)) {
            nodes.push_back(std::move(node));
            continue;
        }
        const auto fact = facts.find(node.inputs.empty() ? "" : node.inputs[0]);
        if (fact == facts.end() || !fact->second.shape || fact->second.shape->size() != 4)
            refuseFile("iRMB '" + node.name + "': the shape of its input is not known");
        for (Node& part : Expander(model, facts, node, *fact->second.shape).run())
            nodes.push_back(std::move(part));
        ++count;
    }
    model.graph.nodes = std::move(nodes);
    if (count == 0)
        return 0;
    removeDead(model.graph);
    facts = inferFacts(model);
    return count;
}

} // namespace irmb::onnx
