/// Functions of cuBLAS that OpenCV calls for their effect alone. Compiled without its header:
/// arguments are not read, and status 0 is success.
#define STAND_IN_NO_OP(name)                                                                       \
    extern "C" int name() {                                                                        \
        return 0;                                                                                  \
    }

STAND_IN_NO_OP(cublasDestroy_v2)
STAND_IN_NO_OP(cublasSetStream_v2)
