#include "cpu/kernels.hpp"

#include <opencv2/core/utility.hpp>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace irmb::cpu {

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const Kernels avx512_bf16_kernels;
extern const Kernels avx512_amx_kernels;
#endif

namespace {

#if defined(__x86_64__)
/// Whether the processor has tile registers and the system grants them: their state is so large
/// that Linux has to be asked.
bool hasTiles() {
#if defined(__linux__)
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned features = 0; // leaf 7, EDX: AMX-BF16 in bit 22, AMX-TILE in bit 24
    constexpr unsigned wanted = 1u << 22 | 1u << 24;
    constexpr long request_permission = 0x1023; // ARCH_REQ_XCOMP_PERM
    constexpr long tile_data = 18;              // XFEATURE_XTILEDATA
    return __get_cpuid_count(7, 0, &a, &b, &c, &features) && (features & wanted) == wanted &&
           syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

const Kernels& chooseAvx512() {
    if (!__builtin_cpu_supports("avx512bf16"))
        return avx512_kernels;
    return hasTiles() ? avx512_amx_kernels : avx512_bf16_kernels;
}
#endif

const Kernels& choose() {
#if defined(__x86_64__)
    if (cv::checkHardwareSupport(CV_CPU_AVX512_SKX))
        return chooseAvx512();
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
