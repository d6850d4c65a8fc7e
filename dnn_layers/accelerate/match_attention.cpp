#include "accelerate/match_attention.hpp"

#include "accelerate/node_chain.hpp"
#include "onnx/axis_range.hpp"

#include <algorithm>

namespace irmb::accelerate {
namespace {

using onnx::GraphView;
using onnx::Node;
using onnx::Shape;

class Matcher : NodeChain {
public:
    explicit Matcher(const GraphView& view) : NodeChain(view) {}

    std::optional<Unit> match(int softmax) {
        if (!keep(softmax, "Softmax") || onnx::axisOf(view_, view_.node(softmax), -1) != 3)
            return std::nullopt;
        if (!matchLogits(view_.node(softmax).inputs[0]) || !matchSplit() ||
            !matchResult(view_.node(softmax).outputs[0]) || !matchValueMap() || !isClosed())
            return std::nullopt;
        return Unit{attention_, nodes_, {input_}, outputs_};
    }

private:
    bool swapsLastTwo(const Node& node) const {
        return node.intsAttr("perm") == std::vector<int64_t>{0, 1, 3, 2};
    }

    /// The tensor of which `tensor` is the transpose, or nothing.
    std::optional<std::string> transposed(const std::string& tensor) {
        if (!keep(view_.producerIndex(tensor), "Transpose") || !swapsLastTwo(last()))
            return std::nullopt;
        return last().inputs[0];
    }

    /// scale * q^T k
    bool matchLogits(std::string tensor) {
        if (keep(view_.producerIndex(tensor), "Mul")) {
            const Node& mul = last();
            const bool first = view_.scalar(mul.inputs[0]).has_value();
            const auto scale = view_.scalar(mul.inputs[first ? 0 : 1]);
            if (!scale)
                return false;
            attention_.scale = static_cast<float>(*scale);
            tensor = mul.inputs[first ? 1 : 0];
        }
        if (!keep(view_.producerIndex(tensor), "MatMul"))
            return false;
        const Node& product = last();
        const auto q = transposed(product.inputs[0]);
        q_ = q.value_or("");
        k_ = product.inputs[1];
        return q.has_value();
    }

    /// q, k and v are the parts of a map that is seen as [B, heads, channels, pixels].
    bool matchSplit() {
        if (!keep(view_.producerIndex(q_), "Split"))
            return false;
        const Node& split = last();
        if (split.outputs.size() != 3 || split.outputs[0] != q_ || split.outputs[1] != k_ ||
            onnx::axisOf(view_, split, 0) != 2)
            return false;
        v_ = split.outputs[2];
        if (!keep(view_.producerIndex(split.inputs[0]), "Reshape"))
            return false;
        input_ = last().inputs[0];
        const Shape* map = view_.shape(input_);
        const Shape* heads = view_.shape(split.inputs[0]);
        const Shape* q = view_.shape(q_);
        const Shape* k = view_.shape(k_);
        const Shape* v = view_.shape(v_);
        if (!map || !heads || !q || !k || !v || map->size() != 4 || heads->size() != 4 ||
            (*heads)[0] != (*map)[0] || (*heads)[3] != (*map)[2] * (*map)[3] || *k != *q)
            return false;
        attention_.heads = static_cast<int>((*heads)[1]);
        attention_.dim_key = static_cast<int>((*q)[2]);
        attention_.dim_value = static_cast<int>((*v)[2]);
        result_shape_ = {(*map)[0], (*heads)[1] * (*v)[2], (*map)[2], (*map)[3]};
        return true;
    }

    /// v times the transposed weights, as a map.
    bool matchResult(const std::string& weights) {
        const int transpose = view_.soleConsumer(weights);
        if (!keep(transpose, "Transpose") || !swapsLastTwo(last()))
            return false;
        const int product = view_.soleConsumer(last().outputs[0]);
        if (!keep(product, "MatMul") || last().inputs[0] != v_)
            return false;
        product_ = product;
        return keepMap(view_.soleConsumer(last().outputs[0]));
    }

    bool keepMap(int index) {
        if (!keep(index, "Reshape"))
            return false;
        const Shape* shape = view_.shape(last().outputs[0]);
        outputs_.push_back(last().outputs[0]);
        return shape && *shape == result_shape_;
    }

    /// What else reads v sees it as a map.
    bool matchValueMap() {
        for (const int reader : view_.links().consumers(v_))
            if (reader != product_ && (outputs_.size() > 1 || !keepMap(reader)))
                return false;
        return true;
    }

    /// Nothing outside reads what is computed inside.
    bool isClosed() const {
        const auto inside = [&](int node) {
            return std::find(nodes_.begin(), nodes_.end(), node) != nodes_.end();
        };
        for (const int node : nodes_)
            for (const std::string& output : view_.node(node).outputs) {
                if (std::find(outputs_.begin(), outputs_.end(), output) != outputs_.end())
                    continue;
                const std::vector<int>& readers = view_.links().consumers(output);
                if (view_.links().isOutput(output) ||
                    !std::all_of(readers.begin(), readers.end(), inside))
                    return false;
            }
        return true;
    }

    Attention attention_;
    std::string q_;
    std::string k_;
    std::string v_;
    std::string input_;
    int product_ = -1;
    Shape result_shape_;
    std::vector<std::string> outputs_;
};

} // namespace

std::optional<Unit> matchGlobalAttention(const GraphView& view, int softmax) {
    return Matcher(view).match(softmax);
}

} // namespace irmb::accelerate
