#if defined(__AMX_BF16__)
#include "cpu/kernels.inl"

namespace irmb::cpu {

extern const Kernels avx512_amx_kernels;
const Kernels avx512_amx_kernels = makeKernels("avx512-amx");

} // namespace irmb::cpu
#endif
