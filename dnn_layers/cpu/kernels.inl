// The kernels for the instruction set of the including translation unit. Only C functions and
// functions of internal linkage are called: an inline function of the standard library compiled
// here could end up in the program for every processor.

#include "cpu/kernels.hpp"
#include "cpu/simd.hpp"

#include <cmath>

namespace irmb::cpu {
namespace {

inline int least(int a, int b) {
    return a < b ? a : b;
}

// ---- GEMM ---------------------------------------------------------------------------------------

#if defined(__AVX512F__)
constexpr int gemm_rows = 8;
#else
constexpr int gemm_rows = 4;
#endif
constexpr int gemm_vectors = 3;

/// Adds the residual and writes what the matrix has of a block at its edge.
template <int vectors>
__attribute__((noinline)) void finishPartly(const Gemm& g, int row, int first,
                                            const Vec (&sum)[gemm_rows][vectors]) {
    for (int r = 0; r < least(gemm_rows, g.rows - row); ++r)
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i) {
            const int token = first + i * lanes;
            const int left = g.tokens - token;
            Vec value = sum[r][i];
            if (g.residual)
                value += loadFirst(g.residual + (row + r) * g.ldr + token, left);
            storeFirst(g.d + (row + r) * g.ldd + token, value, left);
        }
}

/// One packed block of rows times `vectors` vectors of tokens, from the token `first` on.
template <int vectors>
void gemmBlock(const Gemm& g, int row, int first) {
    const float* a = g.a + static_cast<std::ptrdiff_t>(row) * g.inner;
    const float* b = g.b + first;
    Vec sum[gemm_rows][vectors];
#pragma GCC unroll 8
    for (int r = 0; r < gemm_rows; ++r)
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i)
            sum[r][i] = broadcast(g.bias[row + r]);
    for (int k = 0; k < g.inner; ++k, a += gemm_rows, b += g.ldb) {
        Vec tokens[vectors];
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i)
            tokens[i] = load(b + i * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < gemm_rows; ++r) {
            const Vec weight = broadcast(a[r]);
#pragma GCC unroll 3
            for (int i = 0; i < vectors; ++i)
                sum[r][i] += weight * tokens[i];
        }
    }
    if (g.rows - row < gemm_rows || g.tokens - first < vectors * lanes) {
        // A copy, for sums that have an address do not stay in registers.
        Vec copy[gemm_rows][vectors];
#pragma GCC unroll 8
        for (int r = 0; r < gemm_rows; ++r)
#pragma GCC unroll 3
            for (int i = 0; i < vectors; ++i)
                copy[r][i] = sum[r][i];
        finishPartly<vectors>(g, row, first, copy);
        return;
    }
    if (g.residual) {
        const float* residual = g.residual + row * g.ldr + first;
#pragma GCC unroll 8
        for (int r = 0; r < gemm_rows; ++r, residual += g.ldr)
#pragma GCC unroll 3
            for (int i = 0; i < vectors; ++i)
                sum[r][i] += load(residual + i * lanes);
    }
    float* d = g.d + row * g.ldd + first;
#pragma GCC unroll 8
    for (int r = 0; r < gemm_rows; ++r, d += g.ldd)
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i)
            store(d + i * lanes, sum[r][i]);
}

void gemm(const Gemm& g) {
    int first = 0;
    const auto allRows = [&](void (*block)(const Gemm&, int, int), int vectors) {
        for (int row = 0; row < g.rows; row += gemm_rows)
            block(g, row, first);
        first += vectors * lanes;
    };
    while (g.tokens - first > (gemm_vectors - 1) * lanes)
        allRows(gemmBlock<gemm_vectors>, gemm_vectors);
    while (g.tokens - first > lanes)
        allRows(gemmBlock<2>, 2);
    while (g.tokens - first > 0)
        allRows(gemmBlock<1>, 1);
}

// ---- Attention ----------------------------------------------------------------------------------

/// Keys of which the logits are held at a time.
constexpr int key_block = 256;
/// Keys of which the logits are summed side by side.
constexpr int key_group = 8;
/// Channels of v held in registers at a time.
constexpr int channel_block = 8;

#if defined(__AVX512F__)
constexpr int query_vectors = 3;
#else
constexpr int query_vectors = 1;
#endif

/// logits[key][vector] = q * k of `keys` keys. `top`, unless they are bounded, becomes the highest
/// of all.
template <int vectors, bool bounded, int keys>
void findLogits(const Attention& a, int query, int key, Vec* logits, Vec* top) {
    const float* q = a.q + query;
    const float* k = a.k + key;
    Vec sum[keys][vectors] = {};
    for (int d = 0; d < a.dim_head; ++d, q += a.ld, k += a.ld) {
        Vec part[vectors];
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i)
            part[i] = load(q + i * lanes);
#pragma GCC unroll 8
        for (int n = 0; n < keys; ++n) {
            const Vec weight = broadcast(k[n]);
#pragma GCC unroll 3
            for (int i = 0; i < vectors; ++i)
                sum[n][i] += weight * part[i];
        }
    }
#pragma GCC unroll 8
    for (int n = 0; n < keys; ++n)
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i) {
            logits[n * vectors + i] = sum[n][i];
            if (!bounded)
                top[i] = maximum(top[i], sum[n][i]);
        }
}

/// out[dim][vector] = out * decay + sum over keys of weights * v, for `dims` channels; nothing
/// decays where logits are bounded.
template <int vectors, bool bounded, int dims>
void addValues(const Attention& a, int first, int key, int keys, const Vec* weights,
               const Vec* decay, Vec* out) {
    const float* v = a.v + first * a.ldv + key;
    out += first * vectors;
    Vec sum[dims][vectors];
#pragma GCC unroll 8
    for (int d = 0; d < dims; ++d)
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i)
            sum[d][i] = bounded ? out[d * vectors + i] : out[d * vectors + i] * decay[i];
    for (int n = 0; n < keys; ++n, weights += vectors) {
#pragma GCC unroll 8
        for (int d = 0; d < dims; ++d) {
            const Vec value = broadcast(v[d * a.ldv + n]);
#pragma GCC unroll 3
            for (int i = 0; i < vectors; ++i)
                sum[d][i] += weights[i] * value;
        }
    }
#pragma GCC unroll 8
    for (int d = 0; d < dims; ++d)
#pragma GCC unroll 3
        for (int i = 0; i < vectors; ++i)
            out[d * vectors + i] = sum[d][i];
}

/// Softmax with a running maximum, started with the padded keys. Bounded logits do without a
/// maximum.
template <int vectors, bool bounded>
struct Softmax {
    Vec highest[vectors];
    Vec total[vectors];

    void start(const Attention& a, int query, Vec* out) {
        const bool pads = a.padding > 0.f;
        for (int i = 0; i < vectors; ++i)
            highest[i] = broadcast(pads ? 0.f : -3e38f);
        for (int d = 0; pads && d < a.dim_head; ++d)
            for (int i = 0; i < vectors; ++i)
                highest[i] += a.pad_k[d] * load(a.q + d * a.ld + query + i * lanes);
        for (int i = 0; i < vectors; ++i) {
            total[i] = broadcast(a.padding);
            if (bounded && pads)
                total[i] *= exp2(highest[i]);
        }
        for (int d = 0; d < a.dim_value; ++d)
            for (int i = 0; i < vectors; ++i)
                out[d * vectors + i] = pads ? total[i] * a.pad_v[d] : Vec{};
    }

    /// Logits to weights relative to their maximum `top`; `decay` is what the old ones shrink by.
    void update(Vec* logits, int keys, const Vec* top, Vec* decay) {
        for (int i = 0; i < vectors && !bounded; ++i) {
            decay[i] = exp2(highest[i] - top[i]);
            highest[i] = top[i];
            total[i] *= decay[i];
        }
        for (int key = 0; key < keys; ++key, logits += vectors) {
            Vec weight[vectors];
            sideBySide<vectors>(
                [&](int i) { weight[i] = bounded ? logits[i] : logits[i] - highest[i]; });
            if (bounded)
                boundedExp2(weight);
            else
                exp2(weight);
            sideBySide<vectors>([&](int i) {
                logits[i] = weight[i];
                total[i] += weight[i];
            });
        }
    }
};

/// `vectors` vectors of queries, from `query` on.
template <int vectors, bool bounded>
void attendQueries(const Attention& a, int query, Vec* logits, Vec* out) {
    Softmax<vectors, bounded> softmax;
    softmax.start(a, query, out);
    for (int key = 0; key < a.tokens; key += key_block) {
        const int keys = least(key_block, a.tokens - key);
        Vec top[vectors];
        for (int i = 0; i < vectors; ++i)
            top[i] = softmax.highest[i];
        int n = 0;
        for (; n + key_group <= keys; n += key_group)
            findLogits<vectors, bounded, key_group>(a, query, key + n, logits + n * vectors, top);
        for (; n < keys; ++n)
            findLogits<vectors, bounded, 1>(a, query, key + n, logits + n * vectors, top);
        Vec decay[vectors];
        softmax.update(logits, keys, top, decay);
        int d = 0;
        for (; d + channel_block <= a.dim_value; d += channel_block)
            addValues<vectors, bounded, channel_block>(a, d, key, keys, logits, decay, out);
        for (; d < a.dim_value; ++d)
            addValues<vectors, bounded, 1>(a, d, key, keys, logits, decay, out);
    }
    for (int i = 0; i < vectors; ++i) {
        const Vec scale = 1.f / softmax.total[i];
        for (int d = 0; d < a.dim_value; ++d)
            store(a.out + d * a.ldo + query + i * lanes, out[d * vectors + i] * scale);
    }
}

/// One query, with keys as lanes: what is left of a window of 7 x 7 would fill a sixteenth of a
/// vector.
__attribute__((noinline)) void attendQuery(const Attention& a, int query, Vec* weights) {
    const float* q = a.q + query;
    float* out = a.out + query;
    const bool pads = a.padding > 0.f;
    float highest = pads ? 0.f : -3e38f;
    float total = a.padding;
    for (int d = 0; pads && d < a.dim_head; ++d)
        highest += a.pad_k[d] * q[d * a.ld];
    for (int d = 0; d < a.dim_value; ++d)
        out[d * a.ldo] = pads ? a.padding * a.pad_v[d] : 0.f;
    for (int key = 0; key < a.tokens; key += key_block) {
        const int keys = least(key_block, a.tokens - key);
        const int whole = keys / lanes * lanes;
        const int left = keys - whole;
        const float* k = a.k + key;
        const float* v = a.v + key;
        Vec top = broadcast(highest);
        for (int i = 0; i < keys; i += lanes) {
            Vec sum = {};
            for (int d = 0; d < a.dim_head; ++d)
                sum += q[d * a.ld] * load(k + d * a.ld + i);
            // What lies behind the last key may be anything.
            weights[i / lanes] = i < whole ? sum : firstOr(sum, left, -3e38f);
            top = maximum(top, weights[i / lanes]);
        }
        const float previous = highest;
        highest = largest(top);
        const float decay = exp2(broadcast(previous - highest))[0];
        Vec sum = {};
        for (int i = 0; i < keys; i += lanes) {
            weights[i / lanes] = exp2(weights[i / lanes] - highest);
            sum += weights[i / lanes];
        }
        total = total * decay + sumOf(sum);
        for (int d = 0; d < a.dim_value; ++d) {
            const float* row = v + d * a.ldv;
            Vec value = {};
            for (int i = 0; i < whole; i += lanes)
                value += weights[i / lanes] * load(row + i);
            if (left > 0)
                value += weights[whole / lanes] * loadFirst(row + whole, left);
            out[d * a.ldo] = out[d * a.ldo] * decay + sumOf(value);
        }
    }
    for (int d = 0; d < a.dim_value; ++d)
        out[d * a.ldo] /= total;
}

std::size_t attentionScratch(int dim_value) {
    const std::size_t vectors = query_vectors * (static_cast<std::size_t>(key_block) + dim_value);
    return (vectors + 1) * lanes;
}

/// So few queries are faster one by one than as a vector.
constexpr int few_queries = 1;

float longest(const float* x, std::ptrdiff_t ld, int dims, int tokens) {
    Vec most = {};
    for (int token = 0; token < tokens; token += lanes) {
        Vec squares = {};
        for (int d = 0; d < dims; ++d) {
            const Vec part = loadFirst(x + d * ld + token, tokens - token);
            squares += part * part;
        }
        most = maximum(squares, most);
    }
    return largest(most);
}

/// The queries that fill vectors. Returns the first one that is left.
template <bool bounded>
int attendVectors(const Attention& a, Vec* logits, Vec* out) {
    int query = a.query_begin;
    const auto attend = [&](void (*queries)(const Attention&, int, Vec*, Vec*), int vectors) {
        for (; a.query_end - query > (vectors - 1) * lanes + few_queries; query += vectors * lanes)
            queries(a, query, logits, out);
    };
    if constexpr (query_vectors > 1) {
        attend(attendQueries<3, bounded>, 3);
        attend(attendQueries<2, bounded>, 2);
    }
    attend(attendQueries<1, bounded>, 1);
    return query;
}

void attention(const Attention& a) {
    const auto address = reinterpret_cast<std::uintptr_t>(a.scratch);
    const auto aligned = (address + sizeof(Vec) - 1) / sizeof(Vec) * sizeof(Vec);
    Vec* logits = reinterpret_cast<Vec*>(aligned);
    Vec* out = logits + query_vectors * key_block;
    int query =
        a.bounded ? attendVectors<true>(a, logits, out) : attendVectors<false>(a, logits, out);
    for (; query < a.query_end; ++query)
        attendQuery(a, query, logits);
}

// ---- Depthwise convolution ----------------------------------------------------------------------

/// Every stride-th float from p on; `count` of them exist.
inline Vec loadStrided(const float* p, int stride, int count) {
    if (stride == 1)
        return load(p);
    Vec v = {};
    for (int i = 0; i < least(count, lanes); ++i)
        v[i] = p[static_cast<std::ptrdiff_t>(i) * stride];
    return v;
}

Vec convolve(const Depthwise& d, const float* in, int count) {
    Vec sum = broadcast(d.bias);
    const float* weight = d.weights;
    for (int i = 0; i < d.size; ++i, in += d.dilation * d.ld)
        for (int j = 0; j < d.size; ++j)
            sum += *weight++ *
                   loadStrided(in + static_cast<std::ptrdiff_t>(j) * d.dilation, d.stride, count);
    return sum;
}

/// What follows the sums of neighbouring rows from (y, x) on.
template <int rows>
inline void gate(const Depthwise& d, int y, int x, Vec (&sum)[rows]) {
    silu(sum);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
        sum[r] *= d.gate;
        if (d.centre)
            sum[r] += load(d.centre + (y + r) * d.ld + x);
        storeFirst(d.out + static_cast<std::ptrdiff_t>(y + r) * d.cols + x, sum[r], d.cols - x);
    }
}

/// `rows` rows of the output from y on, which share what they read; 3 x 3 without gaps.
template <int rows>
void depthwise3x3(const Depthwise& d, int y, const Vec* weights) {
    const float* in = d.in + y * d.ld;
    for (int x = 0; x < d.cols; x += lanes) {
        Vec sum[rows];
#pragma GCC unroll 4
        for (int r = 0; r < rows; ++r)
            sum[r] = broadcast(d.bias);
#pragma GCC unroll 6
        for (int i = 0; i < rows + 2; ++i)
#pragma GCC unroll 3
            for (int j = 0; j < 3; ++j) {
                const Vec value = load(in + i * d.ld + x + j);
#pragma GCC unroll 4
                for (int r = 0; r < rows; ++r)
                    if (i >= r && i - r < 3)
                        sum[r] += weights[3 * (i - r) + j] * value;
            }
        gate(d, y, x, sum);
    }
}

void depthwise(const Depthwise& d) {
    int y = 0;
    if (d.size == 3 && d.stride == 1 && d.dilation == 1) {
        Vec weights[9];
        for (int i = 0; i < 9; ++i)
            weights[i] = broadcast(d.weights[i]);
        for (; y + 4 <= d.rows; y += 4)
            depthwise3x3<4>(d, y, weights);
        for (; y < d.rows; ++y)
            depthwise3x3<1>(d, y, weights);
    }
    for (; y < d.rows; ++y) {
        const float* in = d.in + y * d.stride * d.ld;
        for (int x = 0; x < d.cols; x += lanes) {
            Vec sum[] = {convolve(d, in + static_cast<std::ptrdiff_t>(x) * d.stride, d.cols - x)};
            gate(d, y, x, sum);
        }
    }
}

// ---- Normalisation ------------------------------------------------------------------------------

/// `count` channels from `channel` on, which share the reading of the indices.
template <int count>
void gatherChannels(const Gather& g, int channel) {
    const float* x[count];
    float* out[count];
    float sub[count];
    float mul[count];
    float add[count];
    for (int c = 0; c < count; ++c) {
        x[c] = g.x + (channel + c) * g.plane;
        out[c] = g.out + (channel + c) * g.ld;
        sub[c] = g.sub[channel + c];
        mul[c] = g.mul[channel + c];
        add[c] = g.add[channel + c];
    }
#if defined(__AVX512F__)
    for (int t = 0; t < g.tokens; t += lanes)
#pragma GCC unroll 4
        for (int c = 0; c < count; ++c) {
            const Vec value = gatherFirst(x[c], g.index + t, g.tokens - t);
            store(out[c] + t, (value - sub[c]) * mul[c] + add[c]);
        }
#else
    for (int t = 0; t < g.tokens; ++t) {
        const int from = g.index[t];
#pragma GCC unroll 4
        for (int c = 0; c < count; ++c)
            out[c][t] = (x[c][from] - sub[c]) * mul[c] + add[c];
    }
#endif
}

void gather(const Gather& g) {
    int c = 0;
    for (; g.index && c + 4 <= g.channels; c += 4)
        gatherChannels<4>(g, c);
    for (; g.index && c < g.channels; ++c)
        gatherChannels<1>(g, c);
    for (; c < g.channels; ++c)
        for (int t = 0; t < g.tokens; ++t)
            g.out[c * g.ld + t] = (g.x[c * g.plane + t] - g.sub[c]) * g.mul[c] + g.add[c];
}

#if defined(__AVX512F__)
/// How many of `count` increasing places follow one another, at most as many as there are lanes.
inline int neighbours(const int* places, int count) {
    if (count >= lanes && places[lanes - 1] - places[0] == lanes - 1)
        return lanes;
    int run = 1;
    while (run < least(count, lanes) && places[run] - places[0] == run)
        ++run;
    return run;
}
#endif

/// `count` channels from `channel` on, which share the reading of the indices.
template <int count>
void scatterChannels(const Scatter& s, int channel) {
    const float* x[count];
    float* out[count];
    for (int c = 0; c < count; ++c) {
        x[c] = s.x + (channel + c) * s.ld;
        out[c] = s.out + (channel + c) * s.plane;
    }
#if defined(__AVX512F__)
    for (int i = 0; i < s.tokens;) {
        const int run = neighbours(s.to + i, s.tokens - i);
#pragma GCC unroll 4
        for (int c = 0; c < count; ++c)
            storeFirst(out[c] + s.to[i], gatherFirst(x[c], s.from + i, run), run);
        i += run;
    }
#else
    for (int i = 0; i < s.tokens; ++i) {
        const int from = s.from[i];
        const int to = s.to[i];
#pragma GCC unroll 4
        for (int c = 0; c < count; ++c)
            out[c][to] = x[c][from];
    }
#endif
}

void scatter(const Scatter& s) {
    int c = 0;
    for (; c + 4 <= s.channels; c += 4)
        scatterChannels<4>(s, c);
    for (; c < s.channels; ++c)
        scatterChannels<1>(s, c);
}

void layerNorm(const LayerNorm& n) {
    const float share = 1.f / static_cast<float>(n.channels);
    for (int t = 0; t < n.tokens; t += lanes) {
        float* data = n.data + t;
        Vec mean = {};
        for (int c = 0; c < n.channels; ++c)
            mean += load(data + c * n.ld);
        mean *= share;
        Vec variance = {};
        for (int c = 0; c < n.channels; ++c) {
            const Vec centred = load(data + c * n.ld) - mean;
            variance += centred * centred;
        }
        variance = variance * share + n.eps;
        Vec scale;
        for (int i = 0; i < lanes; ++i)
            scale[i] = 1.f / sqrtf(variance[i]);
        for (int c = 0; c < n.channels; ++c) {
            const Vec centred = load(data + c * n.ld) - mean;
            store(data + c * n.ld, centred * scale * n.scale[c] + n.shift[c]);
        }
    }
}

// ---- Activations --------------------------------------------------------------------------------

inline Vec relu6(Vec x) {
    return minimum(maximum(x, Vec{}), broadcast(6.f));
}

/// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: absolute error below 1.5e-7.
inline Vec errorFunction(Vec x) {
    const Vec size = maximum(x, -x);
    const Vec t = 1.f / (1.f + 0.3275911f * size);
    Vec p = broadcast(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const Vec result = 1.f - p * t * exponential(-size * size);
    return x < Vec{} ? -result : result;
}

/// x * tanh(log(1 + e^x)), written with n = e^x (e^x + 2) as x * n / (n + 2).
inline Vec mish(Vec x) {
    const Vec e = exponential(minimum(x, broadcast(20.f)));
    const Vec n = e * (e + 2.f);
    return x * (n / (n + 2.f));
}

inline Vec activated(Activation act, float slope, Vec x) {
    switch (act) {
    case Activation::None:
        break;
    case Activation::Relu:
        return maximum(x, Vec{});
    case Activation::Relu6:
        return relu6(x);
    case Activation::Silu:
        return x * sigmoid(x);
    case Activation::Gelu:
        return 0.5f * x * (1.f + errorFunction(x * 0.70710678f));
    case Activation::HardSwish:
        return x * relu6(x + 3.f) * (1.f / 6.f);
    case Activation::HardSigmoid:
        return relu6(x + 3.f) * (1.f / 6.f);
    case Activation::Sigmoid:
        return sigmoid(x);
    case Activation::Tanh:
        return 1.f - 2.f / (1.f + exponential(2.f * x));
    case Activation::Mish:
        return mish(x);
    case Activation::Prelu:
        return x < Vec{} ? slope * x : x;
    }
    return x;
}

void activate(Activation act, float slope, float* data, int count) {
    if (act == Activation::None)
        return;
    constexpr int together = 4;
    int i = 0;
    const auto apply = [&](auto function) {
        for (; i + together * lanes <= count; i += together * lanes) {
            Vec x[together];
            sideBySide<together>([&](int v) { x[v] = load(data + i + v * lanes); });
            function(x);
            sideBySide<together>([&](int v) { store(data + i + v * lanes, x[v]); });
        }
    };
    if (act == Activation::Silu)
        apply([](Vec(&x)[together]) { silu(x); });
    if (act == Activation::Relu)
        apply([](Vec(&x)[together]) {
            sideBySide<together>([&](int v) { x[v] = maximum(x[v], Vec{}); });
        });
    for (; i < count; i += lanes)
        storeFirst(data + i, activated(act, slope, loadFirst(data + i, count - i)), count - i);
}

// ---- Sums ---------------------------------------------------------------------------------------

/// Adds up to 16 vectors in single precision, then goes on in double.
template <typename Function>
double accumulate(const float* data, int count, Function function) {
    constexpr int block = 16 * lanes;
    double result = 0.;
    for (int first = 0; first < count; first += block) {
        const int end = least(count, first + block);
        Vec total = {};
        int i = first;
        for (; i + lanes <= end; i += lanes)
            total += function(load(data + i));
        for (int lane = 0; lane < lanes; ++lane)
            result += static_cast<double>(total[lane]);
        for (; i < end; ++i)
            result += static_cast<double>(function(broadcast(data[i]))[0]);
    }
    return result;
}

double sum(const float* data, int count) {
    return accumulate(data, count, [](Vec x) { return x; });
}

double squares(const float* data, int count, float mean) {
    return accumulate(data, count, [=](Vec x) { return (x - mean) * (x - mean); });
}

// ---- Boxes --------------------------------------------------------------------------------------

/// The mean distance under the softmax of logits [bins][ld].
Vec meanDistance(const float* logits, std::ptrdiff_t ld, int bins, const float* distances) {
    Vec highest = load(logits);
    for (int i = 1; i < bins; ++i)
        highest = maximum(highest, load(logits + i * ld));
    Vec total = {};
    Vec sum = {};
    for (int i = 0; i < bins; ++i) {
        const Vec weight = exponential(load(logits + i * ld) - highest);
        total += weight;
        sum += weight * distances[i];
    }
    return sum / total;
}

void decodeBoxes(const BoxDecode& b) {
    for (int anchor = b.begin; anchor < b.end; anchor += lanes) {
        const int left = b.end - anchor;
        const Vec scale = loadFirst(b.scale + anchor, left);
        for (int side = 0; side < 4; ++side) {
            const Vec distance =
                meanDistance(b.logits + side * b.bins * b.ld + anchor, b.ld, b.bins, b.distances);
            const std::ptrdiff_t row = std::ptrdiff_t{1} * (side % 2) * b.anchors + anchor;
            const Vec value = side < 2 ? loadFirst(b.first + row, left) - distance
                                       : loadFirst(b.second + row, left) + distance;
            storeFirst(b.out + std::ptrdiff_t{1} * side * b.anchors + anchor, value * scale, left);
        }
    }
}

#include "cpu/blocked_kernels.inl"
#include "cpu/tiled_kernels.inl"

constexpr Kernels makeKernels(const char* name) {
    return {name,
            lanes,
            gemm_rows,
            product_places,
            gemm,
            attention,
            attentionScratch,
            longest,
            depthwise,
            gather,
            scatter,
            layerNorm,
            activate,
            sum,
            squares,
            pointwise<float>,
            pointwise<Bfloat16>,
            winograd<float>,
            winograd<Bfloat16>,
            thin<float>,
            thin<Bfloat16>,
            tiled_kernel,
            decodeBoxes};
}

} // namespace
} // namespace irmb::cpu
