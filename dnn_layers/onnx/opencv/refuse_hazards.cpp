#include "refuse_hazards.hpp"

#include "onnx/fold/node_context.hpp"
#include "onnx/fold/tensor_math.hpp"
#include "onnx/static_shape.hpp"
#include "value_range.hpp"

#include <opencv2/core.hpp>

#include <algorithm>

namespace irmb::onnx {
namespace {

constexpr int64_t max_depth = 32; // indices of one element
constexpr int max_concats = 4;    // one inside the other

class Inspector {
public:
    Inspector(const OnnxModel& model, const Facts& facts)
        : model_(model), facts_(facts), links_(model.graph), ranges_(valueRanges(model, facts)) {}

    void run() const {
        for (const Node& node : model_.graph.nodes) {
            if (node.is("Div") || node.is("Mod"))
                checkDivisor(node);
            else if (node.is("GatherElements"))
                checkElements(node);
            else if (node.is("GatherND"))
                checkTuples(node);
        }
    }

private:
    [[noreturn]] static void refuse(const Node& node, const std::string& what) {
        CV_Error(cv::Error::StsOutOfRange,
                 describe(node) + ": " + what + "; export the model without this node");
    }

    const ValueRange* rangeOf(const std::string& tensor) const {
        const auto range = ranges_.find(tensor);
        return range == ranges_.end() ? nullptr : &range->second;
    }

    bool dividesIntegers(const Node& node) const {
        if (node.is("Mod"))
            return node.intAttr("fmod", 0) == 0;
        const auto fact = facts_.find(node.inputs[0]);
        return fact != facts_.end() && arithmeticOf(fact->second.type) == Arithmetic::Int;
    }

    /// The lowest integer divided by -1 is no integer of its type, and stops the program as well.
    void checkDivisor(const Node& node) const {
        if (!dividesIntegers(node))
            return;
        const ValueRange* divisor = rangeOf(node.inputs[1]);
        if (!divisor || (divisor->low < 1 && divisor->high > -2))
            refuse(node, "it may divide integers by zero");
    }

    /// OpenCV counts negative indices from the end, one turn at most.
    void checkElements(const Node& node) const {
        const Shape* data = staticShape(facts_, node.inputs[0]);
        const ValueRange* index = rangeOf(node.inputs[1]);
        if (!data || !index)
            refuse(node, "its indices may lie outside its input");
        const int64_t rank = static_cast<int64_t>(data->size());
        const int64_t axis = node.intAttr("axis", 0);
        const double extent = static_cast<double>(data->at(axis < 0 ? axis + rank : axis));
        checkBounds(node, *index, -extent, extent);
    }

    /// And takes the indices of GatherND as they are.
    void checkTuples(const Node& node) const {
        const Shape* data = staticShape(facts_, node.inputs[0]);
        const Components index = components(node.inputs[1]);
        const std::size_t first = static_cast<std::size_t>(node.intAttr("batch_dims", 0));
        if (!data || index.empty() || first + index.size() > data->size())
            refuse(node, "its indices may lie outside its input");
        for (std::size_t i = 0; i < index.size(); ++i)
            checkBounds(node, index[i], 0, static_cast<double>((*data)[first + i]));
    }

    static void checkBounds(const Node& node, const ValueRange& index, double low, double end) {
        if (index.low < low || index.high > end - 1)
            refuse(node, "its indices may be " + std::to_string(int64_t(index.low)) + " to " +
                             std::to_string(int64_t(index.high)) + " on an axis of " +
                             std::to_string(int64_t(end)));
    }

    using Components = std::vector<ValueRange>;

    /// Bounds of each entry along the last axis; empty where they are unknown.
    Components components(const std::string& tensor, int concats = max_concats) const {
        const Shape* shape = staticShape(facts_, tensor);
        if (!shape || shape->empty() || shape->back() < 1 || shape->back() > max_depth)
            return {};
        if (const auto constant = model_.graph.initializers.find(tensor);
            constant != model_.graph.initializers.end())
            return componentsOf(constant->second);
        const int producer = links_.producer(tensor);
        if (producer >= 0 && concats > 0 &&
            isConcatOfEntries(model_.graph.nodes[producer], shape->size()))
            return componentsOfAll(model_.graph.nodes[producer].inputs, concats - 1);
        const ValueRange* all = rangeOf(tensor);
        return all ? Components(static_cast<std::size_t>(shape->back()), *all) : Components();
    }

    static Components componentsOf(const Tensor& indices) {
        const std::vector<double> values = indices.doubles();
        const std::size_t depth = static_cast<std::size_t>(indices.shape.back());
        Components result;
        for (std::size_t i = 0; i < values.size(); ++i)
            if (i < depth)
                result.push_back({values[i], values[i]});
            else
                result[i % depth] = {std::min(result[i % depth].low, values[i]),
                                     std::max(result[i % depth].high, values[i])};
        return result;
    }

    static bool isConcatOfEntries(const Node& node, std::size_t rank) {
        const int64_t axis = node.intAttr("axis", 0);
        return node.is("Concat") && (axis == -1 || axis == static_cast<int64_t>(rank) - 1);
    }

    Components componentsOfAll(const std::vector<std::string>& tensors, int concats) const {
        Components all;
        for (const std::string& tensor : tensors) {
            const Components part = components(tensor, concats);
            if (part.empty())
                return {};
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }

    const OnnxModel& model_;
    const Facts& facts_;
    Links links_;
    std::unordered_map<std::string, ValueRange> ranges_;
};

} // namespace

void refuseHazards(const OnnxModel& model, const Facts& facts) {
    Inspector(model, facts).run();
}

} // namespace irmb::onnx
