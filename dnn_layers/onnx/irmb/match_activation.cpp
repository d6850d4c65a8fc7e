#include "match_activation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <unordered_map>

namespace irmb::onnx {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double sample_limit = 12;   // beyond it every activation is saturated or linear
constexpr int samples = 97;           // odd: zero is among them
constexpr double tolerance = 3e-6;    // constants are float32 in the files
constexpr std::size_t max_nodes = 12; // the longest spelling in use, tanh GELU, has nine

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

double softplus(double x) {
    return x > 30 ? x : std::log1p(std::exp(x));
}

double evaluate(Activation act, double x) {
    switch (act) {
    case Activation::Relu:
        return std::max(x, 0.0);
    case Activation::Relu6:
        return std::clamp(x, 0.0, 6.0);
    case Activation::Silu:
        return x * sigmoid(x);
    case Activation::Gelu:
        return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::HardSwish:
        return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::HardSigmoid:
        return std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::Sigmoid:
        return sigmoid(x);
    case Activation::Tanh:
        return std::tanh(x);
    case Activation::Mish:
        return x * std::tanh(softplus(x));
    case Activation::None:
    case Activation::Prelu:
        break;
    }
    return x;
}

constexpr Activation candidates[] = {
    Activation::None, Activation::Relu,      Activation::Relu6,       Activation::Silu,
    Activation::Gelu, Activation::HardSwish, Activation::HardSigmoid, Activation::Sigmoid,
    Activation::Tanh, Activation::Mish};

using Unary = std::function<double(double)>;
using Binary = double (*)(double, double);

std::optional<Unary> unary(const Node& node) {
    static const std::unordered_map<std::string, double (*)(double)> plain = {
        {"Relu", [](double x) { return std::max(x, 0.0); }},
        {"Sigmoid", sigmoid},
        {"Tanh", [](double x) { return std::tanh(x); }},
        {"Erf", [](double x) { return std::erf(x); }},
        {"Exp", [](double x) { return std::exp(x); }},
        {"Log", [](double x) { return std::log(x); }},
        {"Neg", [](double x) { return -x; }},
        {"Abs", [](double x) { return std::abs(x); }},
        {"Reciprocal", [](double x) { return 1 / x; }},
        {"Softplus", softplus},
        {"Identity", [](double x) { return x; }},
        {"HardSwish", [](double x) { return evaluate(Activation::HardSwish, x); }},
        {"Mish", [](double x) { return evaluate(Activation::Mish, x); }}};
    if (!node.domain.empty())
        return std::nullopt;
    if (const auto found = plain.find(node.op); found != plain.end())
        return Unary(found->second);
    if (node.op == "HardSigmoid") {
        const double alpha = node.floatAttr("alpha", 0.2f);
        const double beta = node.floatAttr("beta", 0.5f);
        return [=](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); };
    }
    if (node.op == "Gelu" && node.stringAttr("approximate", "none") == "none")
        return Unary([](double x) { return evaluate(Activation::Gelu, x); });
    return std::nullopt;
}

Binary binary(const Node& node) {
    static const std::unordered_map<std::string, Binary> plain = {
        {"Add", [](double a, double b) { return a + b; }},
        {"Sub", [](double a, double b) { return a - b; }},
        {"Mul", [](double a, double b) { return a * b; }},
        {"Div", [](double a, double b) { return a / b; }},
        {"Pow", [](double a, double b) { return std::pow(a, b); }},
        {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }},
        {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }},
        {"Min", [](double a, double b) { return std::min(a, b); }},
        {"Max", [](double a, double b) { return std::max(a, b); }}};
    const auto found = plain.find(node.op);
    return node.domain.empty() && node.inputs.size() == 2 && found != plain.end() ? found->second
                                                                                  : nullptr;
}

/// A chain of element-wise operators with one variable, run in double precision.
class Expression {
public:
    /// The variable is `source`, or, where that is empty, what no element-wise operator makes.
    Expression(const GraphView& view, const std::string& tensor, const std::string& source = {})
        : view_(view), result_(tensor), source_(source) {
        valid_ = collect(tensor);
    }

    /// One variable only, and every operator is known.
    bool valid() const { return valid_ && !source_.empty(); }
    const std::string& source() const { return source_; }
    const std::vector<int>& nodes() const { return nodes_; }

    double operator()(double x) const {
        std::unordered_map<std::string, double> known{{source_, x}};
        return value(result_, known);
    }

private:
    bool isElementwise(const Node& node) const {
        return unary(node) || binary(node) || node.is("Where") ||
               (node.is("Clip") && clipLimits(node));
    }

    std::optional<std::pair<double, double>> clipLimits(const Node& node) const {
        double limits[2] = {-infinity, infinity};
        for (int i = 0; i < 2; ++i) {
            if (!node.hasInput(i + 1))
                continue;
            const auto limit = view_.scalar(node.inputs[i + 1]);
            if (!limit)
                return std::nullopt;
            limits[i] = *limit;
        }
        return std::make_pair(limits[0], limits[1]);
    }

    /// Walks back from `tensor` to the variable.
    bool collect(const std::string& tensor) {
        if (view_.scalar(tensor) || tensor == source_)
            return true;
        const int index = view_.producerIndex(tensor);
        if (index < 0 || !isElementwise(view_.node(index))) {
            if (!source_.empty() && source_ != tensor)
                return false;
            source_ = tensor;
            return true;
        }
        if (std::find(nodes_.begin(), nodes_.end(), index) != nodes_.end())
            return true;
        if (nodes_.size() == max_nodes)
            return false;
        nodes_.push_back(index);
        const Node& node = view_.node(index);
        const std::size_t operands = node.is("Clip") ? 1 : node.inputs.size();
        for (std::size_t i = 0; i < operands; ++i)
            if (!collect(node.inputs[i]))
                return false;
        return true;
    }

    double value(const std::string& tensor, std::unordered_map<std::string, double>& known) const {
        if (const auto found = known.find(tensor); found != known.end())
            return found->second;
        if (const auto constant = view_.scalar(tensor))
            return *constant;
        const Node& node = *view_.producer(tensor);
        double result = value(node.inputs[0], known);
        if (const auto function = unary(node)) {
            result = (*function)(result);
        } else if (node.is("Clip")) {
            const auto [low, high] = *clipLimits(node);
            result = std::min(std::max(result, low), high);
        } else if (node.is("Where")) {
            result = value(node.inputs[result != 0 ? 1 : 2], known);
        } else {
            result = binary(node)(result, value(node.inputs[1], known));
        }
        known[tensor] = result;
        return result;
    }

    const GraphView& view_;
    std::string result_;
    std::string source_;
    std::vector<int> nodes_;
    bool valid_ = false;
};

/// Largest error relative to max(1, |x|). Files may hold GELU's sqrt(2) in half precision, which
/// makes 2.6e-5; its approximation by tanh is 1.8e-4 away.
double toleranceOf(Activation act) {
    return act == Activation::Gelu ? 5e-5 : tolerance;
}

/// A gain that is 1 but for the rounding of constants is 1.
double settled(double gain) {
    return std::abs(gain - 1) < tolerance ? 1 : gain;
}

/// The factor by which `expression` is `act`, or empty when it is another function.
std::optional<double> gainOver(Activation act, const Expression& expression) {
    const double gain = settled(expression(sample_limit) / evaluate(act, sample_limit));
    if (!std::isfinite(gain) || gain == 0)
        return std::nullopt;
    for (int i = 0; i < samples; ++i) {
        const double x = sample_limit * (2.0 * i / (samples - 1) - 1);
        const double error = std::abs(expression(x) / gain - evaluate(act, x));
        if (!(error <= toleranceOf(act) * std::max(1.0, std::abs(x))))
            return std::nullopt;
    }
    return gain;
}

/// PRelu and LeakyRelu, whose slopes are weights.
std::optional<ActivationMatch> matchSlope(const GraphView& view, int index) {
    const Node& node = view.node(index);
    ActivationMatch match{Activation::Prelu, node.inputs[0], 1, 0, {}, {index}};
    if (node.is("LeakyRelu")) {
        match.slope = cv::Mat(1, 1, CV_32F, cv::Scalar(node.floatAttr("alpha", 0.01f))).clone();
        return match;
    }
    const Tensor* slope = node.hasInput(1) ? view.constant(node.inputs[1]) : nullptr;
    const Shape* shape = view.shape(node.inputs[0]);
    if (!slope || !slope->isFloating() || !shape || shape->size() != 4)
        return std::nullopt;
    const int64_t channels = (*shape)[1];
    const bool per_channel = slope->count() == channels && slope->shape.size() >= 3 &&
                             slope->shape[slope->shape.size() - 3] == channels;
    if (slope->count() != 1 && !per_channel)
        return std::nullopt;
    match.slope = cv::Mat(slope->floats(), true);
    return match;
}

std::optional<ActivationMatch> matchExpression(const Expression& expression) {
    if (!expression.valid())
        return std::nullopt;
    for (const Activation act : candidates)
        if (const auto gain = gainOver(act, expression))
            return ActivationMatch{act, expression.source(), *gain, 0, {}, expression.nodes()};
    return std::nullopt;
}

} // namespace

std::optional<ActivationMatch> matchScaledActivation(const GraphView& view,
                                                     const std::string& tensor) {
    const int index = view.producerIndex(tensor);
    if (index >= 0 && (view.node(index).is("PRelu") || view.node(index).is("LeakyRelu")))
        return matchSlope(view, index);
    return matchExpression(Expression(view, tensor));
}

std::optional<ActivationMatch> matchActivationOf(const GraphView& view, const std::string& source,
                                                 const std::string& tensor) {
    const auto match = matchExpression(Expression(view, tensor, source));
    return match && match->gain == 1 ? match : std::nullopt;
}

std::optional<ActivationMatch> matchActivation(const GraphView& view, const std::string& tensor) {
    auto match = matchScaledActivation(view, tensor);
    if (match && match->act == Activation::Relu6 && match->gain != 1)
        match = asHardSigmoid(*match);
    return match && match->gain == 1 ? match : std::nullopt;
}

ActivationMatch asHardSigmoid(ActivationMatch relu6) {
    relu6.act = Activation::HardSigmoid;
    relu6.gain = settled(6 * relu6.gain);
    relu6.offset -= 3;
    return relu6;
}

} // namespace irmb::onnx
