#if defined(__AVX512BF16__)
#include "cpu/kernels.inl"

namespace irmb::cpu {

extern const Kernels avx512_bf16_kernels;
const Kernels avx512_bf16_kernels = makeKernels("avx512-bf16");

} // namespace irmb::cpu
#endif
