#pragma once

#include "cpu/kernels.hpp"

#include <vector>

namespace irmb::cpu {

/// The left matrix of a Gemm with its bias, in blocks of Kernels::gemm_rows rows, column by column.
class PackedMatrix {
public:
    PackedMatrix() = default;
    PackedMatrix(int rows, int cols);

    /// Copies `count` rows from a row-major matrix with as many columns to the rows from `row` on.
    /// `bias` may be null. Both are multiplied by `factor`.
    void setRows(int row, int count, const float* weights, const float* bias, float factor = 1.f);

    int rows() const { return rows_; }

    /// d[rows, tokens] = this * b.
    Gemm times(const float* b, std::ptrdiff_t ldb, int tokens, float* d, std::ptrdiff_t ldd) const;

private:
    int rows_ = 0;
    int cols_ = 0;
    std::vector<float> weights_;
    std::vector<float> bias_;
};

} // namespace irmb::cpu
