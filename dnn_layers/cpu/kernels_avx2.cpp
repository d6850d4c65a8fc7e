#if defined(__AVX2__)
#include "cpu/kernels.inl"

namespace irmb::cpu {

extern const Kernels avx2_kernels;
const Kernels avx2_kernels = makeKernels("avx2");

} // namespace irmb::cpu
#endif
