#include "graph_view.hpp"

#include "static_shape.hpp"

namespace irmb::onnx {

const Node* GraphView::producer(const std::string& tensor) const {
    const int index = links_.producer(tensor);
    return index < 0 ? nullptr : &node(index);
}

int GraphView::soleConsumer(const std::string& tensor) const {
    const std::vector<int>& consumers = links_.consumers(tensor);
    return consumers.size() == 1 && !links_.isOutput(tensor) ? consumers.front() : -1;
}

const Tensor* GraphView::constant(const std::string& tensor) const {
    const auto found = graph().initializers.find(tensor);
    return found == graph().initializers.end() ? nullptr : &found->second;
}

std::optional<double> GraphView::scalar(const std::string& tensor) const {
    const Tensor* value = constant(tensor);
    if (!value || !value->isFloating() || value->count() != 1)
        return std::nullopt;
    return value->doubles().front();
}

const Shape* GraphView::shape(const std::string& tensor) const {
    return staticShape(facts_, tensor);
}

DataType GraphView::type(const std::string& tensor) const {
    const auto found = facts_.find(tensor);
    return found == facts_.end() ? DataType::Undefined : found->second.type;
}

} // namespace irmb::onnx
