#include "numbers.hpp"

#include <cublas_v2.h>

/// Products of matrices, plainly, summed in float: c = alpha a b + beta c, column-major.
namespace stand_in {
namespace {

struct Product {
    cublasOperation_t op_a, op_b;
    int rows, columns, depth;
    int lda, ldb, ldc;
    float alpha, beta;
};

template <typename T>
float valueOf(T x) {
    return static_cast<float>(x);
}
template <typename T>
void assign(T& to, float x) {
    to = static_cast<T>(x);
}

template <typename T>
void multiply(const Product& p, const T* a, const T* b, T* c) {
    for (int column = 0; column < p.columns; ++column)
        for (int row = 0; row < p.rows; ++row) {
            float sum = 0.f;
            for (int k = 0; k < p.depth; ++k) {
                const int at_a = p.op_a == CUBLAS_OP_N ? k * p.lda + row : row * p.lda + k;
                const int at_b = p.op_b == CUBLAS_OP_N ? column * p.ldb + k : k * p.ldb + column;
                sum += valueOf(a[at_a]) * valueOf(b[at_b]);
            }
            T& to = c[column * p.ldc + row];
            assign(to, p.alpha * sum + (p.beta != 0.f ? p.beta * valueOf(to) : 0.f));
        }
}

} // namespace
} // namespace stand_in

using namespace stand_in;

// The three kinds of products for one type of element.
#define STAND_IN_PRODUCTS(T, one, batched, strided)                                                \
    cublasStatus_t one(cublasHandle_t, cublasOperation_t op_a, cublasOperation_t op_b, int m,      \
                       int n, int k, const T* alpha, const T* a, int lda, const T* b, int ldb,     \
                       const T* beta, T* c, int ldc) {                                             \
        multiply<T>({op_a, op_b, m, n, k, lda, ldb, ldc, valueOf(*alpha), valueOf(*beta)}, a, b,   \
                    c);                                                                            \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    cublasStatus_t batched(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,  \
                           int m, int n, int k, const T* alpha, const T* const a[], int lda,       \
                           const T* const b[], int ldb, const T* beta, T* const c[], int ldc,      \
                           int count) {                                                            \
        for (int i = 0; i < count; ++i)                                                            \
            one(handle, op_a, op_b, m, n, k, alpha, a[i], lda, b[i], ldb, beta, c[i], ldc);        \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    cublasStatus_t strided(cublasHandle_t handle, cublasOperation_t op_a, cublasOperation_t op_b,  \
                           int m, int n, int k, const T* alpha, const T* a, int lda,               \
                           long long stride_a, const T* b, int ldb, long long stride_b,            \
                           const T* beta, T* c, int ldc, long long stride_c, int count) {          \
        for (int i = 0; i < count; ++i)                                                            \
            one(handle, op_a, op_b, m, n, k, alpha, a + i * stride_a, lda, b + i * stride_b, ldb,  \
                beta, c + i * stride_c, ldc);                                                      \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    static int context;
    *handle = reinterpret_cast<cublasHandle_t>(&context);
    return CUBLAS_STATUS_SUCCESS;
}

STAND_IN_PRODUCTS(float, cublasSgemm_v2, cublasSgemmBatched, cublasSgemmStridedBatched)
STAND_IN_PRODUCTS(__half, cublasHgemm, cublasHgemmBatched, cublasHgemmStridedBatched)

} // extern "C"
