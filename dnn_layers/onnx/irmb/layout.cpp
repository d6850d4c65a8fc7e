#include "layout.hpp"

#include <algorithm>
#include <numeric>

namespace irmb::onnx {
namespace {

constexpr int64_t max_elements = int64_t(1) << 26; // 256 MiB of element numbers

using Index = std::vector<int32_t>;

Shape stridesOf(const Shape& shape) {
    Shape strides(shape.size(), 1);
    for (int d = static_cast<int>(shape.size()) - 2; d >= 0; --d)
        strides[d] = strides[d + 1] * shape[d + 1];
    return strides;
}

/// A box of a tensor: element (i, j, ..) lies at offset + i * strides[0] + j * strides[1] ...
struct StridedBox {
    Shape shape;
    int64_t offset = 0;
    Shape strides;
};

/// Calls visit(position) for the elements of the box in row-major order.
template <typename Visit>
void forEach(const StridedBox& box, Visit visit) {
    const int64_t count = elementCount(box.shape);
    Shape counter(box.shape.size(), 0);
    int64_t position = box.offset;
    for (int64_t i = 0; i < count; ++i) {
        visit(position);
        for (int d = static_cast<int>(box.shape.size()) - 1; d >= 0; --d) {
            position += box.strides[d];
            if (++counter[d] < box.shape[d])
                break;
            position -= box.strides[d] * box.shape[d];
            counter[d] = 0;
        }
    }
}

Index read(const Index& in, const StridedBox& box) {
    Index out;
    out.reserve(elementCount(box.shape));
    forEach(box, [&](int64_t position) { out.push_back(in[position]); });
    return out;
}

int64_t normalAxis(int64_t axis, std::size_t rank) {
    return axis < 0 ? axis + static_cast<int64_t>(rank) : axis;
}

bool transpose(const Node& node, Layout& layout) {
    const std::size_t rank = layout.shape.size();
    Shape order = node.intsAttr("perm");
    if (order.empty()) {
        order.resize(rank);
        std::iota(order.rbegin(), order.rend(), 0);
    }
    if (order.size() != rank)
        return false;
    const Shape strides = stridesOf(layout.shape);
    StridedBox box;
    for (const int64_t axis : order) {
        if (axis < 0 || axis >= static_cast<int64_t>(rank))
            return false;
        box.shape.push_back(layout.shape[axis]);
        box.strides.push_back(strides[axis]);
    }
    layout.index = read(layout.index, box);
    layout.shape = box.shape;
    return true;
}

/// Inputs of Slice as constants, from opset 10 on.
std::optional<Shape> constantInts(const GraphView& view, const Node& node, std::size_t input) {
    const Tensor* value = node.hasInput(input) ? view.constant(node.inputs[input]) : nullptr;
    if (!value || value->isFloating())
        return std::nullopt;
    return value->ints();
}

bool slice(const GraphView& view, const Node& node, const Shape& result, Layout& layout) {
    const auto starts = constantInts(view, node, 1);
    const std::size_t rank = layout.shape.size();
    if (!starts || result.size() != rank)
        return false;
    Shape axes(starts->size()), steps(starts->size(), 1);
    std::iota(axes.begin(), axes.end(), 0);
    if (node.hasInput(3))
        axes = constantInts(view, node, 3).value_or(Shape());
    if (node.hasInput(4))
        steps = constantInts(view, node, 4).value_or(Shape());
    if (axes.size() != starts->size() || steps.size() != starts->size())
        return false;
    StridedBox box{result, 0, stridesOf(layout.shape)};
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const int64_t axis = normalAxis(axes[i], rank);
        if (axis < 0 || axis >= static_cast<int64_t>(rank) || steps[i] <= 0)
            return false;
        const int64_t size = layout.shape[axis];
        int64_t start = (*starts)[i];
        start = std::clamp<int64_t>(start < 0 ? start + size : start, 0, size);
        if (result[axis] > 0 && start + (result[axis] - 1) * steps[i] >= size)
            return false;
        box.offset += start * box.strides[axis];
        box.strides[axis] *= steps[i];
    }
    layout.index = read(layout.index, box);
    layout.shape = result;
    return true;
}

bool split(const GraphView& view, const Node& node, const std::string& output, Layout& layout) {
    const std::size_t rank = layout.shape.size();
    const int64_t axis = normalAxis(node.intAttr("axis", 0), rank);
    if (axis < 0 || axis >= static_cast<int64_t>(rank))
        return false;
    StridedBox box{{}, 0, stridesOf(layout.shape)};
    for (const std::string& candidate : node.outputs) {
        const Shape* part = view.shape(candidate);
        if (!part || part->size() != rank)
            return false;
        if (candidate == output) {
            box.shape = *part;
            break;
        }
        box.offset += (*part)[axis] * box.strides[axis];
    }
    if (box.shape.empty() || box.offset / box.strides[axis] + box.shape[axis] > layout.shape[axis])
        return false;
    layout.index = read(layout.index, box);
    layout.shape = box.shape;
    return true;
}

bool gather(const GraphView& view, const Node& node, const Shape& result, Layout& layout) {
    const Tensor* chosen = node.hasInput(1) ? view.constant(node.inputs[1]) : nullptr;
    const std::size_t rank = layout.shape.size();
    const int64_t axis = normalAxis(node.intAttr("axis", 0), rank);
    if (!chosen || chosen->isFloating() || axis < 0 || axis >= static_cast<int64_t>(rank))
        return false;
    const Shape strides = stridesOf(layout.shape);
    const int64_t inner = strides[axis];
    const int64_t size = layout.shape[axis];
    const int64_t outer = elementCount(layout.shape) / std::max<int64_t>(1, inner * size);
    Index out;
    out.reserve(elementCount(result));
    const Shape picks = chosen->ints();
    for (int64_t o = 0; o < outer; ++o) {
        for (const int64_t pick : picks) {
            const int64_t place = pick < 0 ? pick + size : pick;
            if (place < 0 || place >= size)
                return false;
            const auto from = layout.index.begin() + (o * size + place) * inner;
            out.insert(out.end(), from, from + inner);
        }
    }
    layout.index = std::move(out);
    layout.shape = result;
    return true;
}

/// Amounts of a constant zero Pad for every axis: begins, then ends.
std::optional<Shape> zeroPads(const GraphView& view, const Node& node, std::size_t rank) {
    if (node.stringAttr("mode", "constant") != "constant")
        return std::nullopt;
    const auto pads = constantInts(view, node, 1);
    if (!pads)
        return std::nullopt;
    if (node.hasInput(2)) {
        const auto value = view.scalar(node.inputs[2]);
        if (!value || *value != 0)
            return std::nullopt;
    }
    if (!node.hasInput(3))
        return pads->size() == 2 * rank ? pads : std::nullopt;
    const auto axes = constantInts(view, node, 3);
    if (!axes || pads->size() != 2 * axes->size())
        return std::nullopt;
    Shape full(2 * rank, 0);
    for (std::size_t i = 0; i < axes->size(); ++i) {
        const int64_t axis = normalAxis((*axes)[i], rank);
        if (axis < 0 || axis >= static_cast<int64_t>(rank))
            return std::nullopt;
        full[axis] = (*pads)[i];
        full[rank + axis] = (*pads)[axes->size() + i];
    }
    return full;
}

bool pad(const GraphView& view, const Node& node, const Shape& result, Layout& layout) {
    const std::size_t rank = layout.shape.size();
    const auto pads = zeroPads(view, node, rank);
    if (!pads || result.size() != rank)
        return false;
    StridedBox box{layout.shape, 0, stridesOf(result)};
    for (std::size_t d = 0; d < rank; ++d) {
        if ((*pads)[d] < 0 || (*pads)[rank + d] < 0 ||
            (*pads)[d] + layout.shape[d] + (*pads)[rank + d] != result[d])
            return false;
        box.offset += (*pads)[d] * box.strides[d];
    }
    Index out(elementCount(result), -1);
    std::size_t next = 0;
    forEach(box, [&](int64_t position) { out[position] = layout.index[next++]; });
    layout.index = std::move(out);
    layout.shape = result;
    return true;
}

bool reshape(const Shape& result, Layout& layout) {
    if (elementCount(result) != static_cast<int64_t>(layout.index.size()))
        return false;
    layout.shape = result;
    return true;
}

/// The scalar that `node` multiplies its other input by, with that input's number.
std::optional<std::pair<double, int>> scaling(const GraphView& view, const Node& node) {
    if (!(node.is("Mul") || node.is("Div")) || node.inputs.size() != 2)
        return std::nullopt;
    if (const auto value = view.scalar(node.inputs[1])) {
        if (node.is("Mul"))
            return std::make_pair(*value, 0);
        if (*value != 0)
            return std::make_pair(1 / *value, 0);
        return std::nullopt;
    }
    if (node.is("Mul"))
        if (const auto value = view.scalar(node.inputs[0]))
            return std::make_pair(*value, 1);
    return std::nullopt;
}

} // namespace

bool isMovement(const GraphView& view, const Node& node) {
    if (!node.domain.empty() || node.inputs.empty() || view.constant(node.inputs[0]))
        return false;
    static const char* const movers[] = {"Reshape", "Transpose", "Squeeze", "Unsqueeze",
                                         "Flatten", "Slice",     "Split",   "Gather",
                                         "Pad",     "Identity"};
    return std::any_of(std::begin(movers), std::end(movers),
                       [&](const char* op) { return node.op == op; });
}

std::optional<Layout> identityLayout(const GraphView& view, const std::string& tensor) {
    const Shape* shape = view.shape(tensor);
    if (!shape || elementCount(*shape) > max_elements)
        return std::nullopt;
    Layout layout;
    layout.source = tensor;
    layout.shape = *shape;
    layout.index.resize(elementCount(*shape));
    std::iota(layout.index.begin(), layout.index.end(), 0);
    return layout;
}

bool extend(const GraphView& view, int index, const std::string& output, Layout& layout) {
    const Node& node = view.node(index);
    const Shape* result = view.shape(output);
    if (!result || elementCount(*result) > max_elements || !isMovement(view, node))
        return false;
    bool done = false;
    if (node.op == "Transpose")
        done = transpose(node, layout);
    else if (node.op == "Slice")
        done = slice(view, node, *result, layout);
    else if (node.op == "Split")
        done = split(view, node, output, layout);
    else if (node.op == "Gather")
        done = gather(view, node, *result, layout);
    else if (node.op == "Pad")
        done = pad(view, node, *result, layout);
    else
        done = reshape(*result, layout);
    layout.nodes.push_back(index);
    return done && layout.shape == *result;
}

std::vector<std::string> movementChain(const GraphView& view, const std::string& tensor) {
    std::vector<std::string> chain{tensor};
    for (const Node* node = view.producer(tensor); node && isMovement(view, *node);
         node = view.producer(chain.back()))
        chain.push_back(node->inputs[0]);
    return chain;
}

std::optional<Layout> traceBack(const GraphView& view, const std::string& tensor,
                                const std::string& source) {
    std::vector<std::string> chain = movementChain(view, tensor);
    const auto start = std::find(chain.begin(), chain.end(), source);
    if (start == chain.end())
        return std::nullopt;
    auto layout = identityLayout(view, source);
    for (auto end = start; layout && end != chain.begin();) {
        --end;
        if (!extend(view, view.producerIndex(*end), *end, *layout))
            return std::nullopt;
    }
    return layout;
}

Scaled stripScale(const GraphView& view, const std::string& tensor) {
    Scaled scaled{tensor, 1, {}};
    while (const Node* node = view.producer(scaled.source)) {
        const auto scale = scaling(view, *node);
        if (!scale)
            break;
        scaled.nodes.push_back(view.producerIndex(scaled.source));
        scaled.factor *= scale->first;
        scaled.source = node->inputs[scale->second];
    }
    return scaled;
}

} // namespace irmb::onnx
