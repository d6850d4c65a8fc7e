#if defined(__AVX512F__)
#include "cpu/kernels.inl"

namespace irmb::cpu {

extern const Kernels avx512_kernels;
const Kernels avx512_kernels = makeKernels("avx512");

} // namespace irmb::cpu
#endif
