#include "cpu/packed_matrix.hpp"

namespace irmb::cpu {

PackedMatrix::PackedMatrix(int rows, int cols) : rows_(rows), cols_(cols) {
    const int block = kernels().gemm_rows;
    const auto padded = static_cast<std::size_t>((rows + block - 1) / block) * block;
    weights_.resize(padded * cols);
    bias_.resize(padded);
}

void PackedMatrix::setRows(int row, int count, const float* weights, const float* bias,
                           float factor) {
    const int block = kernels().gemm_rows;
    for (int i = 0; i < count; ++i) {
        const int target = row + i;
        float* column = weights_.data() + static_cast<std::size_t>(target / block) * block * cols_ +
                        target % block;
        for (int c = 0; c < cols_; ++c)
            column[static_cast<std::size_t>(c) * block] =
                weights[static_cast<std::size_t>(i) * cols_ + c] * factor;
        bias_[target] = bias ? bias[i] * factor : 0.f;
    }
}

Gemm PackedMatrix::times(const float* b, std::ptrdiff_t ldb, int tokens, float* d,
                         std::ptrdiff_t ldd) const {
    Gemm g = {};
    g.a = weights_.data();
    g.bias = bias_.data();
    g.rows = rows_;
    g.inner = cols_;
    g.tokens = tokens;
    g.b = b;
    g.ldb = ldb;
    g.d = d;
    g.ldd = ldd;
    return g;
}

} // namespace irmb::cpu
