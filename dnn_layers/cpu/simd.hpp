#pragma once

#include "cpu/bfloat16.hpp"

#include <cstdint>
#include <cstring>
#if defined(__AVX__)
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

using HalfVec __attribute__((vector_size(lanes * sizeof(uint16_t)))) = uint16_t;

#if defined(__AVX512F__)
/// Bits for the first `count` lanes, at most all.
inline __mmask16 firstLanes(int count) {
    return static_cast<__mmask16>(count >= lanes ? 0xffff : (1 << count) - 1);
}
#endif

/// The first `count` lanes, at most all.
inline void storeFirst(float* p, Vec v, int count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, firstLanes(count), reinterpret_cast<__m512>(v));
#else
    if (count >= lanes)
        store(p, v);
    else
        std::memcpy(p, &v, count * sizeof(float));
#endif
}

/// The first `count` lanes, at most all; the others are zero.
inline Vec loadFirst(const float* p, int count) {
#if defined(__AVX512F__)
    return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(firstLanes(count), p));
#else
    if (count >= lanes)
        return load(p);
    Vec v = {};
    std::memcpy(&v, p, count * sizeof(float));
    return v;
#endif
}

#if defined(__AVX512F__)
/// from[index[i]] in the first `count` lanes, at most all; the others are anything.
inline Vec gatherFirst(const float* from, const int* index, int count) {
    const __m512i places = _mm512_maskz_loadu_epi32(firstLanes(count), index);
    return reinterpret_cast<Vec>(_mm512_i32gather_ps(places, from, sizeof(float)));
}
#endif

inline Vec broadcast(float value) {
    return value - Vec{};
}

// The compiler makes two instructions of `a > b ? a : b`, though one has just its meaning.
inline Vec maximum(Vec a, Vec b) {
#if defined(__AVX512F__)
    return reinterpret_cast<Vec>(
        _mm512_max_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#elif defined(__AVX__)
    return reinterpret_cast<Vec>(
        _mm256_max_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)));
#else
    return a > b ? a : b;
#endif
}

inline Vec minimum(Vec a, Vec b) {
#if defined(__AVX512F__)
    return reinterpret_cast<Vec>(
        _mm512_min_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#elif defined(__AVX__)
    return reinterpret_cast<Vec>(
        _mm256_min_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)));
#else
    return a < b ? a : b;
#endif
}

/// The first `count` lanes of v, at most all; the others are `other`.
inline Vec firstOr(Vec v, int count, float other) {
    IntVec lane;
    for (int i = 0; i < lanes; ++i)
        lane[i] = i;
    return lane < count ? v : broadcast(other);
}

inline float sumOf(Vec v) {
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps(reinterpret_cast<__m512>(v));
#else
    float sum = 0.f;
    for (int i = 0; i < lanes; ++i)
        sum += v[i];
    return sum;
#endif
}

inline float largest(Vec v) {
#if defined(__AVX512F__)
    return _mm512_reduce_max_ps(reinterpret_cast<__m512>(v));
#else
    float most = v[0];
    for (int i = 1; i < lanes; ++i)
        most = most > v[i] ? most : v[i];
    return most;
#endif
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

/// `lanes` numbers as float32.
inline Vec load(const Bfloat16* p) {
    HalfVec half;
    std::memcpy(&half, p, sizeof(half));
    return fromBits(__builtin_convertvector(half, IntVec) << 16);
}

/// Rounds to nearest, ties to even; a NaN stays one.
inline void store(Bfloat16* p, Vec v) {
#if defined(__AVX512BF16__)
    const auto half = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
#else
    const IntVec i = bits(v);
    const IntVec rounded = i + 0x7fff + (i >> 16 & 1);
    const IntVec kept = v == v ? rounded : i | 0x10000;
    const HalfVec half = __builtin_convertvector(kept >> 16, HalfVec);
#endif
    std::memcpy(p, &half, lanes * sizeof(Bfloat16));
}

/// One step for several vectors. A chain of dependent steps leaves most of a processor idle; where
/// several chains take their steps in turn, it does not have to find them far apart.
template <int count, typename Step>
inline __attribute__((always_inline)) void sideBySide(Step step) {
#pragma GCC unroll 8
    for (int i = 0; i < count; ++i)
        step(i);
}

/// Polynomials in f, one step of Horner's scheme for each coefficient.
template <int count>
inline void addTerms(Vec (&)[count], const Vec (&)[count]) {}

template <int count, typename... Others>
inline void addTerms(Vec (&p)[count], const Vec (&f)[count], float term, Others... others) {
    sideBySide<count>([&](int i) { p[i] = p[i] * f[i] + term; });
    addTerms(p, f, others...);
}

/// 2^x with a relative error below 3e-7 for x from -125 to 127. The polynomials are minimax ones of
/// degree 5 for 2^f. Inlined by force: an array that is handed over goes through memory.
template <int count>
inline __attribute__((always_inline)) void boundedExp2(Vec (&x)[count]) {
    Vec f[count];
    Vec p[count];
#if defined(__AVX512F__)
    // f in [0, 1) and the power of its integer part take one instruction each.
    sideBySide<count>([&](int i) {
        constexpr int downwards = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
        f[i] = reinterpret_cast<Vec>(_mm512_reduce_ps(reinterpret_cast<__m512>(x[i]), downwards));
        p[i] = broadcast(1.877576674e-3f);
    });
    addTerms(p, f, 8.989340093e-3f, 5.582631805e-2f, 2.401536170e-1f, 6.931530732e-1f,
             9.999999251e-1f);
    sideBySide<count>([&](int i) {
        x[i] = reinterpret_cast<Vec>(
            _mm512_scalef_ps(reinterpret_cast<__m512>(p[i]), reinterpret_cast<__m512>(x[i])));
    });
#else
    // f in [-1/2, 1/2]: adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    Vec shifted[count];
    sideBySide<count>([&](int i) {
        shifted[i] = x[i] + 12582912.f;
        f[i] = x[i] - (shifted[i] - 12582912.f);
        p[i] = broadcast(1.32764720e-3f);
    });
    addTerms(p, f, 9.67554133e-3f, 5.55071327e-2f, 2.40221197e-1f, 6.93146967e-1f, 1.00000007f);
    sideBySide<count>([&](int i) { x[i] = fromBits(bits(p[i]) + (bits(shifted[i]) << 23)); });
#endif
}

/// 2^x for x below 128, cut off at -125: a little lower the result could be denormal, which takes a
/// processor a hundred times as long.
template <int count>
inline void exp2(Vec (&x)[count]) {
    sideBySide<count>([&](int i) { x[i] = maximum(x[i], broadcast(-125.f)); });
    boundedExp2(x);
}

inline Vec exp2(Vec x) {
    Vec one[] = {x};
    exp2(one);
    return one[0];
}

/// e^x, with x cut off to [-87, 88].
inline Vec exponential(Vec x) {
    return exp2(minimum(x * 1.44269504f, broadcast(127.f)));
}

/// 1 / x for x in [1, 2^100], within two units in the last place: a division takes as long as
/// twenty other operations on the widest vectors.
template <int count>
inline void reciprocal(Vec (&x)[count]) {
#if defined(__AVX512F__)
    Vec y[count];
    Vec error[count];
    sideBySide<count>([&](int i) {
        y[i] = reinterpret_cast<Vec>(_mm512_rcp14_ps(reinterpret_cast<__m512>(x[i])));
    });
    sideBySide<count>([&](int i) { error[i] = 1.f - x[i] * y[i]; });
    sideBySide<count>([&](int i) { x[i] = y[i] + y[i] * error[i]; });
#else
    sideBySide<count>([&](int i) { x[i] = 1.f / x[i]; });
#endif
}

template <int count>
inline void sigmoid(Vec (&x)[count]) {
    sideBySide<count>([&](int i) { x[i] = minimum(x[i] * -1.44269504f, broadcast(99.f)); });
    exp2(x);
    sideBySide<count>([&](int i) { x[i] += 1.f; });
    reciprocal(x);
}

inline Vec sigmoid(Vec x) {
    Vec one[] = {x};
    sigmoid(one);
    return one[0];
}

/// Inlined by force: an array that is handed over goes through memory.
template <int count>
inline __attribute__((always_inline)) void silu(Vec (&x)[count]) {
    Vec gate[count];
    sideBySide<count>([&](int i) { gate[i] = x[i]; });
    sigmoid(gate);
    sideBySide<count>([&](int i) { x[i] *= gate[i]; });
}

} // namespace
} // namespace irmb::cpu
