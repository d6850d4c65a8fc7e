#include "shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace irmb::onnx {

Shape broadcast(const NodeContext& ctx, const Shape& a, const Shape& b) {
    Shape result(std::max(a.size(), b.size()), 1);
    for (std::size_t i = 0; i < result.size(); ++i) {
        const int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
        const int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (left != right && left != 1 && right != 1)
            ctx.fail("shapes " + toString(a) + " and " + toString(b) + " do not fit each other");
        result[result.size() - 1 - i] = left == 1 ? right : left;
    }
    return result;
}

std::vector<int64_t> stridesOf(const Shape& shape) {
    std::vector<int64_t> strides(shape.size(), 1);
    for (std::size_t i = shape.size(); i-- > 1;)
        strides[i - 1] = strides[i] * shape[i];
    return strides;
}

Shape reshapeTarget(const NodeContext& ctx, const Shape& input, const std::vector<int64_t>& wanted,
                    bool allow_zero) {
    const auto refuse = [&] {
        ctx.fail("cannot turn " + toString(input) + " into " + toString(wanted));
    };
    Shape result = wanted;
    std::optional<std::size_t> open;
    for (std::size_t i = 0; i < result.size(); ++i) {
        if (result[i] == 0 && !allow_zero) {
            if (i >= input.size())
                refuse();
            result[i] = input[i];
        } else if (result[i] == -1 && !open) {
            open = i;
            result[i] = 1;
        } else if (result[i] < 0) {
            refuse();
        }
    }
    if (!isPlausible(result))
        refuse();
    const int64_t have = elementCount(input);
    const int64_t given = elementCount(result);
    if (open) {
        if (given == 0 || have % given != 0)
            refuse();
        result[*open] = have / given;
    } else if (have != given) {
        refuse();
    }
    return result;
}

namespace {

Range sliceRange(int64_t extent, int64_t start, int64_t end, int64_t step) {
    const int64_t lowest = step > 0 ? 0 : -1;
    const auto clamp = [&](int64_t bound) {
        if (bound < 0)
            bound = bound < -extent ? lowest : bound + extent;
        return std::clamp(bound, lowest, step > 0 ? extent : extent - 1);
    };
    start = clamp(start);
    end = clamp(end);
    const int64_t span = step > 0 ? end - start : start - end;
    // A step longer than the axis takes one element, whatever its exact length.
    const int64_t limit = extent + 1;
    const int64_t stride =
        step > 0 ? std::min(step, limit) : std::min(-std::max(step, -limit), limit);
    Range range;
    range.start = std::max<int64_t>(start, 0);
    range.count = span > 0 ? (span - 1) / stride + 1 : 0;
    range.step = step > 0 ? stride : -stride;
    return range;
}

std::vector<int64_t> firstAxes(std::size_t count) {
    std::vector<int64_t> axes(count);
    for (std::size_t i = 0; i < count; ++i)
        axes[i] = static_cast<int64_t>(i);
    return axes;
}

} // namespace

std::optional<std::vector<Range>> sliceRanges(const NodeContext& ctx, const Shape& input) {
    const IntList starts = ctx.ints(1, "starts");
    const IntList ends = ctx.ints(2, "ends");
    const IntList axes = ctx.ints(3, "axes");
    const IntList steps = ctx.ints(4);
    if (!starts.values || !ends.values || (axes.given && !axes.values) ||
        (steps.given && !steps.values))
        return std::nullopt;

    const std::size_t count = starts.values->size();
    if (ends.values->size() != count || (axes.given && axes.values->size() != count) ||
        (steps.given && steps.values->size() != count) || (!axes.given && count > input.size()))
        ctx.fail("starts, ends, axes and steps differ in length");

    std::vector<Range> ranges(input.size());
    for (std::size_t i = 0; i < input.size(); ++i)
        ranges[i].count = input[i];
    const std::vector<int64_t> on =
        ctx.axes(axes.given ? *axes.values : firstAxes(count), input.size());
    for (std::size_t i = 0; i < count; ++i) {
        const int64_t step = steps.given ? (*steps.values)[i] : 1;
        if (step == 0)
            ctx.fail("a step is 0");
        ranges[on[i]] = sliceRange(input[on[i]], (*starts.values)[i], (*ends.values)[i], step);
    }
    return ranges;
}

std::optional<Padding> padAmounts(const NodeContext& ctx, std::size_t rank) {
    const IntList pads = ctx.ints(1, "pads");
    const IntList axes = ctx.ints(3);
    if (!pads.values || (axes.given && !axes.values))
        return std::nullopt;
    const std::vector<int64_t> on = ctx.axes(axes.given ? *axes.values : firstAxes(rank), rank);
    if (pads.values->size() != 2 * on.size())
        ctx.fail(std::to_string(pads.values->size()) + " pads given for " +
                 std::to_string(on.size()) + " axes");
    for (const int64_t pad : *pads.values)
        if (pad < -kMaxExtent || pad > kMaxExtent)
            ctx.fail("pad " + std::to_string(pad) + " is out of range");

    Padding padding{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
    for (std::size_t i = 0; i < on.size(); ++i) {
        padding.before[on[i]] = (*pads.values)[i];
        padding.after[on[i]] = (*pads.values)[i + on.size()];
    }
    return padding;
}

std::optional<std::vector<int64_t>> splitSizes(const NodeContext& ctx, int64_t extent) {
    const IntList given = ctx.ints(1, "split");
    if (given.given && !given.values)
        return std::nullopt;
    const int64_t parts = static_cast<int64_t>(ctx.node.outputs.size());
    if (!given.given) {
        // The last part is the smaller one where the axis does not divide evenly (opset 18).
        const int64_t size = (extent + parts - 1) / parts;
        if (extent % parts != 0 && (ctx.opset < 18 || size * (parts - 1) > extent))
            ctx.fail("an axis of " + std::to_string(extent) + " does not split into " +
                     std::to_string(parts) + " equal parts");
        std::vector<int64_t> sizes(parts, size);
        sizes.back() = extent - size * (parts - 1);
        return sizes;
    }
    const std::vector<int64_t>& sizes = *given.values;
    int64_t left = extent;
    for (const int64_t size : sizes) {
        if (size < 0 || size > left)
            left = -1;
        if (left < 0)
            break;
        left -= size;
    }
    if (left != 0 || static_cast<int64_t>(sizes.size()) != parts)
        ctx.fail("parts " + toString(sizes) + " do not add up to an axis of " +
                 std::to_string(extent) + " for " + std::to_string(parts) + " outputs");
    return sizes;
}

std::pair<int64_t, int64_t> shapeSpan(const NodeContext& ctx, std::size_t rank) {
    const int64_t size = static_cast<int64_t>(rank);
    const auto bound = [&](const char* attribute, int64_t fallback) {
        const int64_t value = ctx.extent(attribute, fallback);
        return std::clamp<int64_t>(value < 0 ? value + size : value, 0, size);
    };
    const int64_t begin = bound("start", 0);
    return {begin, std::max(begin, bound("end", size))};
}

namespace {

/// Elements of a Range from bounds = {start, limit, delta}, delta not being 0.
double floatSteps(const Tensor* const (&bounds)[3]) {
    double span = bounds[1]->doubles().front() - bounds[0]->doubles().front();
    if (bounds[0]->type == DataType::Float)
        span = static_cast<float>(span);
    return std::max(0., std::ceil(span / bounds[2]->doubles().front()));
}

double integerSteps(const Tensor* const (&bounds)[3]) {
    const int64_t start = bounds[0]->ints().front();
    const int64_t limit = bounds[1]->ints().front();
    const int64_t delta = bounds[2]->ints().front();
    if (delta > 0 ? start >= limit : start <= limit)
        return 0;
    // Distances between int64 numbers fit an uint64.
    const auto bits = [](int64_t value) { return static_cast<uint64_t>(value); };
    const uint64_t span = delta > 0 ? bits(limit) - bits(start) : bits(start) - bits(limit);
    const uint64_t step = delta > 0 ? bits(delta) : 0 - bits(delta);
    return static_cast<double>((span - 1) / step + 1);
}

} // namespace

std::optional<int64_t> rangeCount(const NodeContext& ctx) {
    const Tensor* bounds[3] = {ctx.constant(0), ctx.constant(1), ctx.constant(2)};
    for (const Tensor* bound : bounds) {
        if (!bound)
            return std::nullopt;
        if (bound->count() != 1)
            ctx.fail("start, limit and delta must be single numbers");
    }
    if (bounds[2]->doubles().front() == 0)
        ctx.fail("delta is 0");
    const double count = bounds[0]->isFloating() ? floatSteps(bounds) : integerSteps(bounds);
    if (!(count <= static_cast<double>(kMaxExtent)))
        ctx.fail("a range of " + std::to_string(count) + " elements is too long");
    return static_cast<int64_t>(count);
}

bool isPlausible(const Shape& shape) {
    if (shape.size() > kMaxRank)
        return false;
    int64_t count = 1;
    for (const int64_t side : shape) {
        if (side < 0 || side > kMaxExtent)
            return false;
        const int64_t factor = std::max<int64_t>(side, 1);
        if (count > std::numeric_limits<int64_t>::max() / factor)
            return false;
        count *= factor;
    }
    return true;
}

std::optional<std::vector<int64_t>> reductionAxes(const NodeContext& ctx, std::size_t rank) {
    const IntList axes = ctx.ints(1, "axes");
    if (axes.given && !axes.values)
        return std::nullopt;
    if (!axes.given || axes.values->empty()) {
        if (ctx.node.intAttr("noop_with_empty_axes", 0) != 0)
            return std::vector<int64_t>{};
        return firstAxes(rank);
    }
    std::vector<int64_t> result = ctx.axes(*axes.values, rank);
    std::sort(result.begin(), result.end());
    return result;
}

namespace {

void resolveAutoPad(const NodeContext& ctx, const std::string& mode, const Shape& input,
                    Window& window) {
    const std::size_t rank = input.size();
    window.pads.assign(2 * rank, 0);
    if (mode == "VALID")
        return;
    if (mode != "SAME_UPPER" && mode != "SAME_LOWER")
        ctx.fail("auto_pad " + mode + " is unknown");
    for (std::size_t i = 0; i < rank; ++i) {
        const int64_t output = (input[i] + window.strides[i] - 1) / window.strides[i];
        const int64_t total =
            std::max<int64_t>(0, (output - 1) * window.strides[i] + window.reach(i) - input[i]);
        const int64_t less = total / 2;
        window.pads[i] = mode == "SAME_UPPER" ? less : total - less;
        window.pads[i + rank] = total - window.pads[i];
    }
    window.ceil = false;
}

} // namespace

Window resolveWindow(const NodeContext& ctx, const Shape& input, const Shape& kernel) {
    const std::size_t rank = input.size();
    Window window;
    window.kernel = kernel;
    window.strides = ctx.extents("strides", rank, 1);
    window.dilations = ctx.extents("dilations", rank, 1);
    window.pads = ctx.extents("pads", 2 * rank, 0);
    window.ceil = ctx.node.intAttr("ceil_mode", 0) != 0;
    for (std::size_t i = 0; i < rank; ++i)
        if (window.kernel[i] < 1 || window.strides[i] < 1 || window.dilations[i] < 1)
            ctx.fail("kernel, strides and dilations must be positive");
    for (const int64_t pad : window.pads)
        if (pad < 0)
            ctx.fail("pads must not be negative");
    const std::string mode = ctx.node.stringAttr("auto_pad", "NOTSET");
    if (mode != "NOTSET" && !mode.empty())
        resolveAutoPad(ctx, mode, input, window);
    return window;
}

Shape windowOutput(const NodeContext& ctx, const Window& window, const Shape& input) {
    const std::size_t rank = input.size();
    Shape output(rank);
    for (std::size_t i = 0; i < rank; ++i) {
        const int64_t padded = input[i] + window.pads[i] + window.pads[i + rank];
        const int64_t room = padded - window.reach(i);
        if (room < 0)
            ctx.fail("a window of " + std::to_string(window.reach(i)) +
                     " does not fit into a padded input of " + std::to_string(padded));
        const int64_t stride = window.strides[i];
        output[i] = room / stride + 1;
        // With ceil_mode a last, partial window counts if it starts inside input or left padding.
        if (window.ceil && room % stride != 0 && output[i] * stride < input[i] + window.pads[i])
            ++output[i];
    }
    return output;
}

} // namespace irmb::onnx
