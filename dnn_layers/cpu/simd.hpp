#pragma once

#include <cstdint>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/// One vector of floats, as wide as the instruction set of the translation unit, in the vector
/// extension that GCC and Clang share. Everything has internal linkage: the same names mean
/// different code in units compiled for different processors.
namespace irmb::cpu {
namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif

using Vec __attribute__((vector_size(lanes * sizeof(float)))) = float;
using IntVec __attribute__((vector_size(lanes * sizeof(float)))) = int32_t;

inline Vec load(const float* p) {
    Vec v;
    std::memcpy(&v, p, sizeof(v));
    return v;
}

inline void store(float* p, Vec v) {
    std::memcpy(p, &v, sizeof(v));
}

/// The first `count` lanes, at most all.
inline void storeFirst(float* p, Vec v, int count) {
    if (count >= lanes)
        store(p, v);
    else
        std::memcpy(p, &v, count * sizeof(float));
}

/// The first `count` lanes, at most all; the others are zero.
inline Vec loadFirst(const float* p, int count) {
    if (count >= lanes)
        return load(p);
    Vec v = {};
    std::memcpy(&v, p, count * sizeof(float));
    return v;
}

inline Vec broadcast(float value) {
    return value - Vec{};
}

inline Vec maximum(Vec a, Vec b) {
    return a > b ? a : b;
}

inline Vec minimum(Vec a, Vec b) {
    return a < b ? a : b;
}

inline IntVec bits(Vec v) {
    IntVec i;
    std::memcpy(&i, &v, sizeof(i));
    return i;
}

inline Vec fromBits(IntVec i) {
    Vec v;
    std::memcpy(&v, &i, sizeof(v));
    return v;
}

/// 2^x with a relative error below 3e-7; x is cut off at -126 and must be below 128. The polynomial
/// is the minimax one of degree 5 for 2^f, f in [-1/2, 1/2].
inline Vec exp2(Vec x) {
    x = maximum(x, broadcast(-126.f));
    // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    const Vec shifted = x + 12582912.f;
    const Vec f = x - (shifted - 12582912.f);
    Vec p = broadcast(1.32764720e-3f);
    p = p * f + 9.67554133e-3f;
    p = p * f + 5.55071327e-2f;
    p = p * f + 2.40221197e-1f;
    p = p * f + 6.93146967e-1f;
    p = p * f + 1.00000007f;
    return fromBits(bits(p) + (bits(shifted) << 23));
}

/// e^x, with x cut off to [-87, 88].
inline Vec exponential(Vec x) {
    return exp2(minimum(x * 1.44269504f, broadcast(127.f)));
}

/// 1 / x for x in [1, 2^100], within two units in the last place: a division takes as long as
/// twenty other operations on the widest vectors.
inline Vec reciprocal(Vec x) {
#if defined(__AVX512F__)
    const Vec y = reinterpret_cast<Vec>(_mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(x)));
    return y + y * (1.f - x * y);
#else
    return 1.f / x;
#endif
}

inline Vec sigmoid(Vec x) {
    return reciprocal(1.f + exp2(minimum(x * -1.44269504f, broadcast(99.f))));
}

} // namespace
} // namespace irmb::cpu
