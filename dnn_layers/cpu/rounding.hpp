#pragma once

namespace irmb::cpu {

/// a / b, rounded up; both positive.
template <typename Integer>
constexpr Integer ceilDivide(Integer a, Integer b) {
    return (a + b - 1) / b;
}

/// The next multiple of `step` from a on.
template <typename Integer>
constexpr Integer roundUp(Integer a, Integer step) {
    return ceilDivide(a, step) * step;
}

} // namespace irmb::cpu
