#include "cpu/kernels.hpp"

#include <opencv2/core/utility.hpp>

namespace irmb::cpu {

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels avx512_bf16_kernels;
#endif

namespace {

const Kernels& choose() {
#if defined(__x86_64__)
    if (cv::checkHardwareSupport(CV_CPU_AVX512_SKX))
        return __builtin_cpu_supports("avx512bf16") ? avx512_bf16_kernels : avx512_kernels;
    if (cv::checkHardwareSupport(CV_CPU_AVX2) && cv::checkHardwareSupport(CV_CPU_FMA3))
        return avx2_kernels;
#endif
    return baseline_kernels;
}

} // namespace

const Kernels& kernels() {
    static const Kernels& chosen = choose();
    return chosen;
}

} // namespace irmb::cpu
