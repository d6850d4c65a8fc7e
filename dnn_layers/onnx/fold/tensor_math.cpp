#include "tensor_math.hpp"

#include "shape_rules.hpp"

#include <opencv2/core.hpp>

namespace irmb::onnx {

namespace {

template <typename Word>
void copyWords(const Tensor& source, const Shape& shape, const std::vector<int64_t>& strides,
               int64_t offset, Tensor& result) {
    const uint8_t* from = source.data.data();
    uint8_t* to = result.data.data();
    forEachOffset(shape, strides, [&](int64_t at) {
        std::memcpy(to, from + (offset + at) * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
        to += sizeof(Word);
    });
}

template <typename To, typename From>
void storeAs(Tensor& tensor, const std::vector<From>& values) {
    uint8_t* to = tensor.data.data();
    for (const From value : values) {
        const To stored = static_cast<To>(value);
        std::memcpy(to, &stored, sizeof(To));
        to += sizeof(To);
    }
}

[[noreturn]] void refuse(DataType type) {
    CV_Error(cv::Error::StsNotImplemented,
             std::string("constants of type ") + typeName(type) + " cannot be computed");
}

template <typename From>
Tensor storeFloating(DataType type, Shape shape, const std::vector<From>& values) {
    Tensor tensor = zeros(type, std::move(shape));
    if (type == DataType::Float)
        storeAs<float>(tensor, values);
    else if (type == DataType::Double)
        storeAs<double>(tensor, values);
    else
        refuse(type);
    return tensor;
}

} // namespace

Tensor zeros(DataType type, Shape shape) {
    Tensor tensor;
    tensor.type = type;
    tensor.data.resize(static_cast<std::size_t>(elementCount(shape)) * elementSize(type));
    tensor.shape = std::move(shape);
    return tensor;
}

Tensor stridedCopy(const Tensor& source, Shape shape, const std::vector<int64_t>& strides,
                   int64_t offset) {
    Tensor result = zeros(source.type, std::move(shape));
    switch (elementSize(source.type)) {
    case 1:
        copyWords<uint8_t>(source, result.shape, strides, offset, result);
        break;
    case 2:
        copyWords<uint16_t>(source, result.shape, strides, offset, result);
        break;
    case 4:
        copyWords<uint32_t>(source, result.shape, strides, offset, result);
        break;
    case 8:
        copyWords<uint64_t>(source, result.shape, strides, offset, result);
        break;
    default:
        refuse(source.type);
    }
    return result;
}

Tensor broadcastTo(const Tensor& tensor, const Shape& shape) {
    if (tensor.shape == shape)
        return tensor;
    const std::vector<int64_t> own = stridesOf(tensor.shape);
    std::vector<int64_t> strides(shape.size(), 0);
    const std::size_t lead = shape.size() - tensor.shape.size();
    for (std::size_t i = 0; i < tensor.shape.size(); ++i)
        if (tensor.shape[i] != 1)
            strides[lead + i] = own[i];
    return stridedCopy(tensor, shape, strides);
}

Arithmetic arithmeticOf(DataType type) {
    switch (type) {
    case DataType::Float:
        return Arithmetic::Float;
    case DataType::Double:
        return Arithmetic::Double;
    case DataType::Bool:
    case DataType::Int8:
    case DataType::Int16:
    case DataType::Int32:
    case DataType::Int64:
    case DataType::Uint8:
    case DataType::Uint16:
    case DataType::Uint32:
        return Arithmetic::Int;
    default:
        return Arithmetic::None;
    }
}

Tensor store(DataType type, Shape shape, const std::vector<int64_t>& values) {
    Tensor tensor = zeros(type, std::move(shape));
    switch (type) {
    case DataType::Bool:
        for (std::size_t i = 0; i < values.size(); ++i)
            tensor.data[i] = values[i] != 0;
        break;
    case DataType::Int8:
    case DataType::Uint8:
        storeAs<uint8_t>(tensor, values);
        break;
    case DataType::Int16:
    case DataType::Uint16:
        storeAs<uint16_t>(tensor, values);
        break;
    case DataType::Int32:
    case DataType::Uint32:
        storeAs<uint32_t>(tensor, values);
        break;
    case DataType::Int64:
    case DataType::Uint64:
        storeAs<uint64_t>(tensor, values);
        break;
    default:
        return storeFloating(type, tensor.shape, values);
    }
    return tensor;
}

Tensor store(DataType type, Shape shape, const std::vector<float>& values) {
    return storeFloating(type, std::move(shape), values);
}

Tensor store(DataType type, Shape shape, const std::vector<double>& values) {
    return storeFloating(type, std::move(shape), values);
}

} // namespace irmb::onnx
