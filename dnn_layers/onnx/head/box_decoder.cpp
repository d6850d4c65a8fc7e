#include "box_decoder.hpp"

#include "onnx/fold/evaluate.hpp"
#include "onnx/graph_view.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace irmb::onnx {
namespace {

constexpr float kTolerancePx = 1e-3f;

/// Steps that decoders make.
bool isStep(const Node& node) {
    return node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div") ||
           node.is("Concat") || node.is("Slice") || node.is("Split");
}

/// A tensor that the boxes depend on through nothing else, and the nodes from there on.
struct Origin {
    std::string tensor;
    std::vector<int> nodes; ///< in graph order
};

/// Origins of the shape of `boxes`, from near to far.
std::vector<Origin> originsOf(const GraphView& view, const std::string& boxes) {
    std::vector<Origin> origins;
    std::set<int> nodes;
    std::set<std::pair<int, std::string>> open = {{view.producerIndex(boxes), boxes}};
    while (!open.empty()) {
        const auto [index, tensor] = *open.rbegin();
        if (index < 0 || !isStep(view.node(index)))
            break;
        open.erase({index, tensor});
        nodes.insert(index);
        for (const std::string& input : view.node(index).inputs)
            if (!input.empty() && view.constant(input) == nullptr)
                open.insert({view.producerIndex(input), input});
        if (open.size() != 1)
            continue;
        const std::string& only = open.begin()->second;
        const Shape* shape = view.shape(only);
        if (shape != nullptr && *shape == *view.shape(boxes))
            origins.push_back({only, {nodes.begin(), nodes.end()}});
    }
    return origins;
}

/// Values of `boxes` where those of the origin are `values`; empty where a node cannot be computed.
std::vector<float> boxesOf(const OnnxModel& model, const Facts& facts, const Origin& origin,
                           const std::string& boxes, const Tensor& values) {
    std::map<std::string, Tensor> computed = {{origin.tensor, values}};
    for (const int index : origin.nodes) {
        const Node& node = model.graph.nodes[index];
        Constants constants;
        for (const std::string& input : node.inputs) {
            const auto made = computed.find(input);
            const auto known = model.graph.initializers.find(input);
            if (made != computed.end())
                constants[input] = &made->second;
            else if (known != model.graph.initializers.end())
                constants[input] = &known->second;
        }
        std::vector<TensorFact> outputs;
        for (const std::string& output : node.outputs)
            outputs.push_back(output.empty() ? TensorFact{} : facts.at(output));
        const std::vector<Tensor> results =
            evaluate(NodeContext(node, model.opset(), facts, constants), outputs);
        for (std::size_t i = 0; i < results.size(); ++i)
            computed[node.outputs[i]] = results[i];
    }
    const auto found = computed.find(boxes);
    return found != computed.end() ? found->second.floats() : std::vector<float>{};
}

/// Numbers of which no two that are close to each other are equal.
std::vector<float> unevenNumbers(std::size_t count) {
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i)
        numbers[i] = static_cast<float>(i * 7919 % 1009) / 64.f;
    return numbers;
}

/// Offsets and factors, where computing the boxes of other distances shows that there are no other
/// influences.
std::optional<BoxDecoder> decoderOf(const OnnxModel& model, const Facts& facts,
                                    const Origin& origin, const std::string& boxes,
                                    const Shape& shape) {
    const auto count = static_cast<std::size_t>(elementCount(shape));
    const auto one_image = static_cast<std::size_t>(shape[1] * shape[2]);
    const auto compute = [&](const std::vector<float>& distances) {
        return boxesOf(model, facts, origin, boxes, Tensor::fromFloats(shape, distances));
    };
    const std::vector<float> distances = unevenNumbers(count);
    const std::vector<float> at_zero = compute(std::vector<float>(count, 0.f));
    const std::vector<float> at_one = compute(std::vector<float>(count, 1.f));
    const std::vector<float> elsewhere = compute(distances);
    if (at_zero.size() != count || at_one.size() != count || elsewhere.size() != count)
        return {};
    BoxDecoder decoder = {origin.tensor, {at_zero.begin(), at_zero.begin() + one_image}, {}};
    for (std::size_t i = 0; i < one_image; ++i)
        decoder.factors.push_back(at_one[i] - at_zero[i]);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t place = i % one_image;
        const float expected = decoder.offsets[place] + decoder.factors[place] * distances[i];
        if (!(std::abs(expected - elsewhere[i]) <= kTolerancePx))
            return {};
    }
    return decoder;
}

} // namespace

std::optional<BoxDecoder> findBoxDecoder(const OnnxModel& model, const Facts& facts,
                                         const std::string& boxes) {
    const GraphView view(model, facts);
    const Shape* shape = view.shape(boxes);
    if (shape == nullptr || shape->size() != 3 || (*shape)[1] != 4 ||
        view.type(boxes) != DataType::Float)
        return {};
    const std::vector<Origin> origins = originsOf(view, boxes);
    for (auto origin = origins.rbegin(); origin != origins.rend(); ++origin)
        if (auto decoder = decoderOf(model, facts, *origin, boxes, *shape))
            return decoder;
    return {};
}

} // namespace irmb::onnx
