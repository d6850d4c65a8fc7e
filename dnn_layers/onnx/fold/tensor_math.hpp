#pragma once

#include "onnx/graph.hpp"

#include <cstring>
#include <type_traits>

/// Building blocks of constant evaluation.
namespace irmb::onnx {

/// A tensor of zeros.
Tensor zeros(DataType type, Shape shape);

/// result[i0, i1, ..] = source[offset + i0 * strides[0] + i1 * strides[1] + ..], in elements.
Tensor stridedCopy(const Tensor& source, Shape shape, const std::vector<int64_t>& strides,
                   int64_t offset = 0);

/// `tensor` repeated along the axes that it lacks or has as 1; its shape must broadcast to `shape`.
Tensor broadcastTo(const Tensor& tensor, const Shape& shape);

/// Calls visit(offset) for each element of `shape` in row-major order, offset being the sum of
/// index * stride over all axes.
template <typename Visit>
void forEachOffset(const Shape& shape, const std::vector<int64_t>& strides, Visit visit) {
    const int64_t count = elementCount(shape);
    std::vector<int64_t> index(shape.size(), 0);
    int64_t offset = 0;
    for (int64_t i = 0; i < count; ++i) {
        visit(offset);
        for (std::size_t d = shape.size(); d-- > 0;) {
            offset += strides[d];
            if (++index[d] < shape[d])
                break;
            offset -= strides[d] * shape[d];
            index[d] = 0;
        }
    }
}

/// What arithmetic on a type is done in: all integers and booleans in int64.
enum class Arithmetic { None, Int, Float, Double };
Arithmetic arithmeticOf(DataType type);

/// Elements as int64_t, float or double.
template <typename T>
std::vector<T> load(const Tensor& tensor) {
    if constexpr (std::is_same_v<T, int64_t>)
        return tensor.ints();
    else if constexpr (std::is_same_v<T, float>)
        return tensor.floats();
    else
        return tensor.doubles();
}

/// A tensor of `type` from computed values; integers wrap as they do in two's complement.
Tensor store(DataType type, Shape shape, const std::vector<int64_t>& values);
Tensor store(DataType type, Shape shape, const std::vector<float>& values);
Tensor store(DataType type, Shape shape, const std::vector<double>& values);

} // namespace irmb::onnx
