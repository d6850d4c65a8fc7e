#include "value_range.hpp"

#include <algorithm>
#include <cmath>

namespace irmb::onnx {
namespace {

constexpr int64_t max_elements = 1 << 20; // of a constant that is looked through

using Range = std::optional<ValueRange>;
using Ranges = std::unordered_map<std::string, ValueRange>;

ValueRange hull(const std::vector<double>& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return {*low, *high};
}

Range rangeOf(const Tensor& constant) {
    if (elementSize(constant.type) == 0 || constant.count() < 1 || constant.count() > max_elements)
        return std::nullopt;
    const std::vector<double> values = constant.doubles();
    if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }))
        return std::nullopt;
    return hull(values);
}

/// The results of an operator that is monotonic in both operands lie between those at the corners.
template <typename Function>
ValueRange corners(const ValueRange& a, const ValueRange& b, Function function) {
    return hull({function(a.low, b.low), function(a.low, b.high), function(a.high, b.low),
                 function(a.high, b.high)});
}

class Analyser {
public:
    Analyser(const OnnxModel& model, const Facts& facts) : model_(model), facts_(facts) {}

    Ranges run() {
        for (const auto& [name, tensor] : model_.graph.initializers)
            note(name, rangeOf(tensor));
        for (const Node& node : model_.graph.nodes)
            if (node.domain.empty())
                analyse(node);
        return std::move(ranges_);
    }

private:
    void note(const std::string& name, const Range& range) {
        if (range && std::isfinite(range->low) && std::isfinite(range->high))
            ranges_[name] = *range;
    }

    Range input(const Node& node, std::size_t i) const {
        const auto found = node.hasInput(i) ? ranges_.find(node.inputs[i]) : ranges_.end();
        return found == ranges_.end() ? std::nullopt : Range(found->second);
    }

    void analyse(const Node& node) {
        if (node.is("TopK")) {
            if (node.outputs.size() > 1)
                note(node.outputs[1], positions(node, -1));
        } else if (node.is("ArgMax") || node.is("ArgMin")) {
            note(node.outputs[0], positions(node, 0));
        } else if (isMovement(node)) {
            for (const std::string& output : node.outputs)
                note(output, input(node, 0));
        } else if (node.is("Concat")) {
            note(node.outputs[0], unionOfInputs(node));
        } else if (node.inputs.size() == 1) {
            note(node.outputs[0], unary(node));
        } else if (node.inputs.size() == 2) {
            note(node.outputs[0], binary(node));
        }
    }

    /// Places along the axis that a node searches.
    Range positions(const Node& node, int64_t default_axis) const {
        const auto fact = facts_.find(node.inputs[0]);
        if (fact == facts_.end() || !fact->second.shape)
            return std::nullopt;
        const Shape& shape = *fact->second.shape;
        const int64_t rank = static_cast<int64_t>(shape.size());
        const int64_t axis = node.intAttr("axis", default_axis);
        if (axis < -rank || axis >= rank)
            return std::nullopt;
        return ValueRange{0, static_cast<double>(shape[axis < 0 ? axis + rank : axis] - 1)};
    }

    /// Nodes whose outputs hold nothing but elements of their first input.
    static bool isMovement(const Node& node) {
        static const char* const movers[] = {
            "Expand", "Flatten", "Gather",  "GatherElements", "GatherND", "Identity", "Reshape",
            "Slice",  "Split",   "Squeeze", "Transpose",      "Tile",     "Unsqueeze"};
        return std::any_of(std::begin(movers), std::end(movers),
                           [&](const char* op) { return node.op == op; });
    }

    Range unionOfInputs(const Node& node) const {
        Range all = input(node, 0);
        for (std::size_t i = 1; all && i < node.inputs.size(); ++i) {
            const Range range = input(node, i);
            if (!range)
                return std::nullopt;
            all = ValueRange{std::min(all->low, range->low), std::max(all->high, range->high)};
        }
        return all;
    }

    Range unary(const Node& node) const {
        const Range x = input(node, 0);
        if (!x)
            return std::nullopt;
        if (node.is("Cast"))
            return cast(node, *x);
        if (node.is("Floor"))
            return ValueRange{std::floor(x->low), std::floor(x->high)};
        if (node.is("Ceil"))
            return ValueRange{std::ceil(x->low), std::ceil(x->high)};
        if (node.is("Neg"))
            return ValueRange{-x->high, -x->low};
        if (node.is("Relu"))
            return ValueRange{std::max(x->low, 0.0), std::max(x->high, 0.0)};
        return std::nullopt;
    }

    /// Between types that hold every value; fractions are cut off.
    static Range cast(const Node& node, const ValueRange& x) {
        constexpr double limit = 1 << 24; // exact in float32 and int32
        const auto type = static_cast<DataType>(node.intAttr("to", 0));
        const bool wide = type == DataType::Float || type == DataType::Double ||
                          type == DataType::Int32 || type == DataType::Int64;
        if (!wide || x.low < -limit || x.high > limit)
            return std::nullopt;
        if (type == DataType::Float || type == DataType::Double)
            return x;
        return ValueRange{std::trunc(x.low), std::trunc(x.high)};
    }

    Range binary(const Node& node) const {
        const Range a = input(node, 0);
        const Range b = input(node, 1);
        if (!b)
            return std::nullopt;
        if (node.is("Mod"))
            return modulo(node, *b);
        if (!a)
            return std::nullopt;
        if (node.is("Add"))
            return ValueRange{a->low + b->low, a->high + b->high};
        if (node.is("Sub"))
            return ValueRange{a->low - b->high, a->high - b->low};
        if (node.is("Mul"))
            return corners(*a, *b, [](double x, double y) { return x * y; });
        if (node.is("Div") && (b->low > 0 || b->high < 0))
            return quotient(node, *a, *b);
        return std::nullopt;
    }

    Range quotient(const Node& node, const ValueRange& a, const ValueRange& b) const {
        const ValueRange exact = corners(a, b, [](double x, double y) { return x / y; });
        const auto fact = facts_.find(node.outputs[0]);
        const bool cut = fact != facts_.end() && (fact->second.type == DataType::Int32 ||
                                                  fact->second.type == DataType::Int64);
        return cut ? ValueRange{std::trunc(exact.low), std::trunc(exact.high)} : exact;
    }

    /// Integers: the result has the sign of the divisor and is smaller.
    static Range modulo(const Node& node, const ValueRange& divisor) {
        if (node.intAttr("fmod", 0) != 0 || divisor.low < 1)
            return std::nullopt;
        return ValueRange{0, divisor.high - 1};
    }

    const OnnxModel& model_;
    const Facts& facts_;
    Ranges ranges_;
};

} // namespace

Ranges valueRanges(const OnnxModel& model, const Facts& facts) {
    return Analyser(model, facts).run();
}

} // namespace irmb::onnx
