#include "specialise.hpp"

#include "evaluate.hpp"
#include "infer.hpp"
#include "onnx/fault.hpp"
#include "onnx/text.hpp"
#include "shape_rules.hpp"

#include <opencv2/core.hpp>

namespace irmb::onnx {

namespace {

// Sizes come from the file: these bound memory and time. What is computed may outgrow the constants
// that the file holds a few times, and by a free allowance, for anchors and masks. Elements.
constexpr int64_t kMaxFolded = int64_t(16) << 20; // one tensor
constexpr int64_t kFreeAllowance = int64_t(8) << 20;
constexpr int64_t kFoldedPerStored = 4;
constexpr int64_t kTouchedPerFolded = 4;

/// The value of a Constant node, moved out of it.
std::optional<Tensor> takeConstant(Node& node) {
    const auto find = [&](const char* key) {
        const auto it = node.attributes.find(key);
        return it == node.attributes.end() ? nullptr : &it->second;
    };
    if (Attribute* value = find("value"))
        if (Tensor* tensor = std::get_if<Tensor>(value); tensor && elementSize(tensor->type) > 0)
            return std::move(*tensor);
    if (find("value_float"))
        return Tensor::scalar(node.floatAttr("value_float", 0));
    if (find("value_int"))
        return Tensor::fromInts({}, {node.intAttr("value_int", 0)});
    if (find("value_ints")) {
        const std::vector<int64_t> values = node.intsAttr("value_ints");
        return Tensor::fromInts({static_cast<int64_t>(values.size())}, values);
    }
    if (const Attribute* value = find("value_floats"))
        if (const auto* floats = std::get_if<std::vector<float>>(value))
            return Tensor::fromFloats({static_cast<int64_t>(floats->size())}, *floats);
    return std::nullopt;
}

class Specialiser {
public:
    explicit Specialiser(OnnxModel& model) : model_(model), graph_(model.graph) {
        for (const ValueInfo& output : graph_.outputs)
            outputs_.insert(output.name);
    }

    Facts run(const std::map<std::string, Shape>& input_shapes) {
        removeDead(graph_);
        for (ValueInfo& input : graph_.inputs)
            fixInput(input, input_shapes);
        for (const auto& [name, tensor] : graph_.initializers) {
            addConstant(name, tensor);
            noteStored(tensor);
        }
        foldNodes();
        removeDead(graph_);
        describeOutputs();
        forgetDead(graph_, facts_);
        return std::move(facts_);
    }

private:
    void fixInput(ValueInfo& input, const std::map<std::string, Shape>& input_shapes) {
        const auto given = input_shapes.find(input.name);
        const Shape shape = given != input_shapes.end() ? given->second : input.shape;
        const std::string what = "input " + quoted(input.name);
        if (given == input_shapes.end() && !input.has_shape)
            CV_Error(cv::Error::StsBadArg, what + " has no shape in the file: give one");
        if (input.has_shape && input.shape.size() != shape.size())
            CV_Error(cv::Error::StsBadArg, what + " has " + std::to_string(input.shape.size()) +
                                               " dimensions, " + toString(shape) + " does not fit");
        for (const int64_t side : shape)
            if (side < 1)
                CV_Error(cv::Error::StsBadArg, what + " cannot have the shape " + toString(shape) +
                                                   ": give a positive size for each dimension");
        if (!isPlausible(shape))
            CV_Error(cv::Error::StsBadArg,
                     what + " of " + toString(shape) + " is too large; use a smaller one");
        if (!input.has_shape || input.shape != shape)
            remedy_ = remedyFor(input, shape);
        input.has_shape = true;
        input.shape = shape;
        facts_[input.name] = {input.type, shape};
    }

    static std::string remedyFor(const ValueInfo& input, const Shape& shape) {
        for (const int64_t side : input.shape)
            if (side < 0)
                return "the export is static for another size than " + toString(shape) +
                       " of input " + quoted(input.name) + ": export it again at this size";
        return "the export is static for " + toString(input.shape) + " of input " +
               quoted(input.name) + ": use that size or export it again for " + toString(shape);
    }

    void addConstant(const std::string& name, const Tensor& tensor) {
        if (!isPlausible(tensor.shape))
            refuseFile("constant " + quoted(name) + " has an impossible shape");
        constants_[name] = &tensor;
        facts_[name] = {tensor.type, tensor.shape};
    }

    void noteStored(const Tensor& tensor) {
        if (elementSize(tensor.type) > 0)
            stored_ += tensor.count();
    }

    void foldInto(const std::string& name, Tensor tensor) {
        addConstant(name, graph_.initializers[name] = std::move(tensor));
    }

    void foldNodes() {
        std::vector<Node> kept;
        for (Node& node : graph_.nodes) {
            try {
                if (!fold(node))
                    kept.push_back(std::move(node));
            } catch (const cv::Exception& error) {
                complain(node, error);
            }
        }
        graph_.nodes = std::move(kept);
    }

    [[noreturn]] void complain(const Node& node, const cv::Exception& error) const {
        const std::string who = describe(node);
        const bool named = error.err.find(who) != std::string::npos;
        const bool clash = error.code == cv::Error::StsUnmatchedSizes;
        const std::string remedy = remedy_.empty() ? copy_again : remedy_;
        CV_Error(error.code, (named ? "" : who + ": ") + error.err + (clash ? "; " + remedy : ""));
    }

    /// Turns the outputs of a node into constants where that can be; else notes what is known.
    bool fold(Node& node) {
        const bool wanted_outside = isGraphOutput(node);
        if (node.is("Constant") && !wanted_outside)
            if (std::optional<Tensor> value = takeConstant(node)) {
                noteStored(*value);
                foldInto(node.outputs.at(0), std::move(*value));
                return true;
            }
        const NodeContext ctx(node, model_.opset(), facts_, constants_);
        const std::vector<TensorFact> outputs = inferOutputs(ctx);
        std::vector<Tensor> values;
        if (!wanted_outside)
            values = compute(ctx, outputs);
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (node.outputs[i].empty())
                continue;
            if (i < values.size())
                foldInto(node.outputs[i], std::move(values[i]));
            else
                facts_[node.outputs[i]] = outputs[i];
        }
        return !values.empty();
    }

    bool isGraphOutput(const Node& node) const {
        for (const std::string& output : node.outputs)
            if (outputs_.count(output))
                return true;
        return false;
    }

    /// Values of all outputs of a node, or none if it must stay.
    std::vector<Tensor> compute(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
        if (const Shape* shape = ctx.shape(0)) {
            if (ctx.node.is("Shape")) {
                const auto [begin, end] = shapeSpan(ctx, shape->size());
                return {Tensor::fromInts({end - begin},
                                         Shape(shape->begin() + begin, shape->begin() + end))};
            }
            if (ctx.node.is("Size"))
                return {Tensor::fromInts({}, {elementCount(*shape)})};
        }
        if (!canEvaluate(ctx.node) || !ctx.allConstant() || !affordable(ctx, outputs))
            return {};
        std::vector<Tensor> values = evaluate(ctx, outputs);
        for (const Tensor& value : values)
            folded_ += value.count();
        return values;
    }

    bool affordable(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
        int64_t made = 0;
        int64_t read = 0;
        for (std::size_t i = 0; i < ctx.inputCount(); ++i)
            if (const Tensor* input = ctx.constant(i)) {
                if (elementSize(input->type) == 0)
                    return false;
                read += input->count();
            }
        for (const TensorFact& output : outputs) {
            // Only NonZero folds without a known shape; it makes no more than an index a dimension.
            const int64_t count =
                output.shape ? elementCount(*output.shape)
                             : read * static_cast<int64_t>(ctx.shape(0) ? ctx.shape(0)->size() : 0);
            if (elementSize(output.type) == 0 || (!output.shape && !ctx.node.is("NonZero")))
                return false;
            if (count > kMaxFolded)
                return false;
            made += count;
        }
        const int64_t allowance = kFreeAllowance + kFoldedPerStored * stored_;
        if (folded_ + made > allowance || touched_ + read + made > kTouchedPerFolded * allowance)
            return false;
        touched_ += read + made;
        return true;
    }

    void describeOutputs() {
        for (ValueInfo& output : graph_.outputs) {
            const auto fact = facts_.find(output.name);
            if (fact == facts_.end() || !fact->second.shape) {
                output.has_shape = output.has_shape && remedy_.empty();
                continue;
            }
            output.has_shape = true;
            output.shape = *fact->second.shape;
            if (fact->second.type != DataType::Undefined)
                output.type = fact->second.type;
        }
    }

    OnnxModel& model_;
    Graph& graph_;
    std::unordered_set<std::string> outputs_;
    Facts facts_;
    Constants constants_;
    std::string remedy_;  ///< what to do when shapes clash; empty at the file's own size
    int64_t stored_ = 0;  ///< elements of the file's constants
    int64_t folded_ = 0;  ///< elements computed
    int64_t touched_ = 0; ///< elements read and computed
};

} // namespace

Facts specialise(OnnxModel& model, const std::map<std::string, Shape>& input_shapes) {
    return Specialiser(model).run(input_shapes);
}

Facts inferFacts(const OnnxModel& model) {
    Facts facts;
    Constants constants;
    for (const ValueInfo& input : model.graph.inputs) {
        TensorFact& fact = facts[input.name];
        fact.type = input.type;
        bool is_static = input.has_shape;
        for (const int64_t side : input.shape)
            is_static = is_static && side >= 0;
        if (is_static)
            fact.shape = input.shape;
    }
    for (const auto& [name, tensor] : model.graph.initializers) {
        constants[name] = &tensor;
        facts[name] = {tensor.type, tensor.shape};
    }
    for (const Node& node : model.graph.nodes) {
        const std::vector<TensorFact> outputs =
            inferOutputs(NodeContext(node, model.opset(), facts, constants));
        for (std::size_t i = 0; i < outputs.size(); ++i)
            if (!node.outputs[i].empty())
                facts[node.outputs[i]] = outputs[i];
    }
    return facts;
}

} // namespace irmb::onnx
