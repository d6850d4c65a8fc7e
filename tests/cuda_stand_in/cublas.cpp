#include <cublas_v2.h>

// The one function of cuBLAS in use that returns more than a status.
cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
    static int context;
    *handle = reinterpret_cast<cublasHandle_t>(&context);
    return CUBLAS_STATUS_SUCCESS;
}
