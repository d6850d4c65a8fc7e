#include "accelerate/match_box_tail.hpp"

#include "accelerate/node_chain.hpp"
#include "onnx/axis_range.hpp"

#include <algorithm>
#include <array>

namespace irmb::accelerate {
namespace {

using onnx::GraphView;
using onnx::Node;
using onnx::Shape;
using onnx::Tensor;

class Matcher : NodeChain {
public:
    explicit Matcher(const GraphView& view) : NodeChain(view) {}

    std::optional<Unit> match(int softmax) {
        if (!matchDistribution(softmax) || !matchMaps() || !matchBoxes() || !matchScores())
            return std::nullopt;
        return Unit{tail_, nodes_, inputs_, {output_}};
    }

private:
    /// Keeps the node that makes `tensor` if nothing else reads the tensor.
    bool keepProducer(const std::string& tensor, const char* op) {
        return view_.soleConsumer(tensor) >= 0 && keep(view_.producerIndex(tensor), op);
    }

    /// Keeps the only reader of the last kept node's result.
    bool keepReader(const char* op) { return keep(view_.soleConsumer(last().outputs[0]), op); }

    bool hasShape(const std::string& tensor, const Shape& wanted) const {
        const Shape* shape = view_.shape(tensor);
        return shape && *shape == wanted;
    }

    bool isSplitOf(const Node& node, int64_t first, int64_t second, int64_t anchors) const {
        return node.outputs.size() == 2 && onnx::axisOf(view_, node, 0) == 1 &&
               hasShape(node.outputs[0], {batch_, first, anchors}) &&
               hasShape(node.outputs[1], {batch_, second, anchors});
    }

    bool readFloats(const std::string& tensor, std::size_t count, std::vector<float>& values) {
        const Tensor* constant = view_.constant(tensor);
        if (!constant || !constant->isFloating())
            return false;
        values = constant->floats();
        return values.size() == count;
    }

    /// [B, 4 * bins, anchors] as [B, bins, 4, anchors], its softmax and the mean of the distances.
    bool matchDistribution(int softmax) {
        const Node& node = view_.node(softmax);
        const Shape* shape = view_.shape(node.inputs[0]);
        if (!shape || shape->size() != 4 || (*shape)[2] != 4 ||
            onnx::axisOf(view_, node, -1) != 1 || !keepProducer(node.inputs[0], "Transpose") ||
            last().intsAttr("perm") != std::vector<int64_t>{0, 2, 1, 3})
            return false;
        batch_ = (*shape)[0];
        bins_ = (*shape)[1];
        anchors_ = (*shape)[3];
        if (!keepProducer(last().inputs[0], "Reshape") ||
            !hasShape(last().outputs[0], {batch_, 4, bins_, anchors_}))
            return false;
        logits_ = last().inputs[0];
        nodes_.push_back(softmax);
        tail_.bins = static_cast<int>(bins_);
        return keepReader("Conv") && !last().hasInput(2) &&
               hasShape(last().outputs[0], {batch_, 1, 4, anchors_}) &&
               readFloats(last().inputs[1], bins_, tail_.distances) && keepReader("Reshape") &&
               hasShape(last().outputs[0], {batch_, 4, anchors_});
    }

    /// The distances to an anchor's left and top, and to its right and bottom, from a Split or, as
    /// PyTorch's exporter writes a chunk(), from two Slices.
    bool matchSides() {
        const std::string distances = last().outputs[0];
        if (view_.links().isOutput(distances))
            return false;
        for (const int reader : view_.links().consumers(distances)) {
            nodes_.push_back(reader);
            for (const std::string& output : last().outputs) {
                const auto begin = onnx::rangeBegin(view_, last(), output, 1);
                if (!begin || *begin % 2 != 0 || !hasShape(output, {batch_, 2, anchors_}) ||
                    !sides_[*begin / 2].empty())
                    return false;
                sides_[*begin / 2] = output;
            }
        }
        return !sides_[0].empty() && !sides_[1].empty();
    }

    /// Where the boxes are computed from the distances.
    bool matchBoxes() {
        const std::size_t count = 2 * anchors_;
        if (!matchSides() || !keep(view_.soleConsumer(sides_[0]), "Sub") ||
            last().inputs[1] != sides_[0] || !readFloats(last().inputs[0], count, tail_.first))
            return false;
        const std::string first = last().outputs[0];
        if (!keep(view_.soleConsumer(sides_[1]), "Add") ||
            !readFloats(last().inputs[last().inputs[0] == sides_[1] ? 1 : 0], count, tail_.second))
            return false;
        const std::string second = last().outputs[0];
        if (!keepReader("Concat") || onnx::axisOf(view_, last(), 1) != 1 ||
            last().inputs != std::vector<std::string>{first, second} ||
            view_.soleConsumer(first) != nodes_.back())
            return false;
        const std::string boxes = last().outputs[0];
        return keepReader("Mul") &&
               readFloats(last().inputs[last().inputs[0] == boxes ? 1 : 0], anchors_,
                          tail_.scale) &&
               hasShape(last().outputs[0], {batch_, 4, anchors_});
    }

    bool matchScores() {
        const std::string boxes = last().outputs[0];
        if (!keep(view_.soleConsumer(scores_), "Sigmoid"))
            return false;
        const std::string scores = last().outputs[0];
        if (!keepReader("Concat") || onnx::axisOf(view_, last(), 1) != 1 ||
            last().inputs != std::vector<std::string>{boxes, scores} ||
            view_.soleConsumer(boxes) != nodes_.back())
            return false;
        output_ = last().outputs[0];
        return true;
    }

    /// The maps of all scales side by side, and their channels of boxes and scores apart.
    bool matchMaps() {
        const std::vector<int> before = nodes_;
        if (!keepProducer(logits_, "Split") || last().outputs[0] != logits_)
            return false;
        const Node& split = last();
        const Shape* joined = view_.shape(split.inputs[0]);
        if (!joined || joined->size() != 3 ||
            !isSplitOf(split, 4 * bins_, (*joined)[1] - 4 * bins_, anchors_))
            return false;
        scores_ = split.outputs[1];
        if (!keepProducer(split.inputs[0], "Concat") || onnx::axisOf(view_, last(), 1) != 2)
            return false;
        for (const std::string& rows : std::vector<std::string>(last().inputs)) {
            if (!keepProducer(rows, "Reshape"))
                return false;
            const Shape* map = view_.shape(last().inputs[0]);
            if (!map || map->size() != 4 ||
                !hasShape(rows, {batch_, (*joined)[1], (*map)[2] * (*map)[3]}) ||
                (*map)[1] != (*joined)[1])
                return false;
            inputs_.push_back(last().inputs[0]);
        }
        // The last node is again the one that gives the distances.
        std::rotate(nodes_.begin(), nodes_.begin() + static_cast<std::ptrdiff_t>(before.size()),
                    nodes_.end());
        return true;
    }

    BoxTail tail_;
    std::vector<std::string> inputs_;
    int64_t batch_ = 0;
    int64_t bins_ = 0;
    int64_t anchors_ = 0;
    std::string logits_;
    std::array<std::string, 2> sides_;
    std::string scores_;
    std::string output_;
};

} // namespace

std::optional<Unit> matchBoxTail(const GraphView& view, int softmax) {
    return Matcher(view).match(softmax);
}

} // namespace irmb::accelerate
