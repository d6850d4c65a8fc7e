#include "cpu/kernels.inl"

namespace irmb::cpu {

extern const Kernels baseline_kernels;
const Kernels baseline_kernels = makeKernels("baseline");

} // namespace irmb::cpu
