// Convolutions of maps in blocks of channels. Part of kernels.inl. The channels of a block are the
// SIMD lanes, those of the input are broadcast.

// ---- Products -----------------------------------------------------------------------------------

#if defined(__AVX512F__)
constexpr int product_places = 12;
#else
constexpr int product_places = 6;
#endif

/// What a lane holds for the products: one float32 or two Bfloat16 of neighbouring channels.
template <typename Element>
constexpr int lane_channels = sizeof(float) / sizeof(Element);

inline Vec loadLanes(const float* p) {
    return load(p);
}

inline IntVec loadLanes(const Bfloat16* p) {
    IntVec pairs;
    std::memcpy(&pairs, p, sizeof(pairs));
    return pairs;
}

inline Vec broadcastLane(const float* p) {
    return broadcast(*p);
}

inline IntVec broadcastLane(const Bfloat16* p) {
    int32_t pair;
    std::memcpy(&pair, p, sizeof(pair));
    return pair - IntVec{};
}

inline Vec multiplyAdd(Vec sum, Vec a, Vec b) {
    return sum + a * b;
}

inline Vec multiplyAdd(Vec sum, IntVec a, IntVec b) {
#if defined(__AVX512BF16__)
    return reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                  reinterpret_cast<__m512bh>(a),
                                                  reinterpret_cast<__m512bh>(b)));
#else
    constexpr int32_t upper = -0x10000;
    return sum + fromBits(a << 16) * fromBits(b << 16) + fromBits(a & upper) * fromBits(b & upper);
#endif
}

/// How many of `count` sums are finished side by side.
template <int count>
constexpr int finished_together = count % 4 == 0   ? 4
                                  : count % 3 == 0 ? 3
                                                   : count;

/// The sums of some places (pixels or tiles) and blocks of the result, at places[place * lanes]
/// and weights[block * weight_step]. `finish` gets those of some neighbouring places of a block.
template <int count, int blocks, typename Element, typename Finish>
inline void product(const Element* places, std::ptrdiff_t place_step, int in_blocks,
                    const Element* weights, Finish finish) {
    constexpr int channels = lane_channels<Element>;
    const std::ptrdiff_t weight_step = std::ptrdiff_t{1} * in_blocks * lanes * lanes;
    Vec sum[count][blocks] = {};
    for (int block = 0; block < in_blocks; ++block, places += place_step)
        for (int c = 0; c < lanes; c += channels, weights += lanes * channels) {
            decltype(loadLanes(weights)) weight[blocks];
#pragma GCC unroll 2
            for (int b = 0; b < blocks; ++b)
                weight[b] = loadLanes(weights + b * weight_step);
#pragma GCC unroll 12
            for (int i = 0; i < count; ++i) {
                const auto value = broadcastLane(places + i * lanes + c);
#pragma GCC unroll 2
                for (int b = 0; b < blocks; ++b)
                    sum[i][b] = multiplyAdd(sum[i][b], value, weight[b]);
            }
        }
    constexpr int together = finished_together<count>;
#pragma GCC unroll 2
    for (int b = 0; b < blocks; ++b)
#pragma GCC unroll 4
        for (int i = 0; i < count; i += together) {
            Vec values[together];
            sideBySide<together>([&](int j) { values[j] = sum[i + j][b]; });
            finish(i, b, values);
        }
}

/// As many steps of `count` places as fit; returns the first place that is left.
template <int count, int blocks, typename Element, typename Finish>
int productSteps(int first, int end, const Element* places, std::ptrdiff_t place_step,
                 int in_blocks, const Element* weights, Finish finish) {
    for (; end - first >= count; first += count)
        product<count, blocks>(places + first * lanes, place_step, in_blocks, weights,
                               [&](int i, int b, auto& sums) { finish(first + i, b, sums); });
    return first;
}

/// All places of one or two blocks of the result.
template <int blocks, typename Element, typename Finish>
void productRow(const Element* places, std::ptrdiff_t place_step, int count, int in_blocks,
                const Element* weights, Finish finish) {
    const auto steps = [&](auto run, int first) {
        return run(first, count, places, place_step, in_blocks, weights, finish);
    };
    int first = steps(productSteps<product_places, blocks, Element, Finish>, 0);
    first = steps(productSteps<product_places / 2, blocks, Element, Finish>, first);
    first = steps(productSteps<2, blocks, Element, Finish>, first);
    steps(productSteps<1, blocks, Element, Finish>, first);
}

/// All blocks of the result.
template <typename Element, typename Finish>
void products(const Element* places, std::ptrdiff_t place_step, int count, int in_blocks,
              const Element* weights, int out_blocks, Finish finish) {
    const std::ptrdiff_t step = std::ptrdiff_t{1} * in_blocks * lanes * lanes;
    int block = 0;
    const auto shifted = [&](int i, int b, auto& sums) { finish(i, block + b, sums); };
    for (; block + 2 <= out_blocks; block += 2)
        productRow<2>(places, place_step, count, in_blocks, weights + block * step, shifted);
    if (block < out_blocks)
        productRow<1>(places, place_step, count, in_blocks, weights + block * step, shifted);
}

/// Kept apart from the usual case, which is inlined.
__attribute__((noinline)) Vec otherActivation(Activation act, Vec x) {
    return activated(act, 0.f, x);
}

template <int count>
inline void follow(Activation act, Vec (&x)[count]) {
    if (act == Activation::Silu)
        silu(x);
    else if (act != Activation::None)
        sideBySide<count>([&](int i) { x[i] = otherActivation(act, x[i]); });
}

/// Writes what follows the sums of neighbouring places of a block to `out`; `place`: of the first
/// vector in the map.
template <int count, typename Element>
inline void writeFinished(const Epilogue<Element>& e, int block, std::ptrdiff_t place,
                          Vec (&sum)[count], Element* out) {
    const Vec bias = load(e.bias + block * lanes);
    sideBySide<count>([&](int i) { sum[i] += bias; });
    follow(e.before, sum);
    if (e.residual)
        sideBySide<count>([&](int i) { sum[i] += load(e.residual + (place + i) * lanes); });
    follow(e.after, sum);
    sideBySide<count>([&](int i) { store(out + (place + i) * lanes, sum[i]); });
}

/// Maps of more blocks than that are gathered.
constexpr int gathered_blocks = 8;

/// The planes of a map tend to lie a multiple of 4096 bytes apart, where their pixels share cache
/// sets. So where there are many, some pixels of all planes are gathered first.
template <typename Element>
void pointwise(const Pointwise<Element>& p) {
    const std::ptrdiff_t plane = p.pixels;
    const bool gathers = p.in_blocks > gathered_blocks;
    const int step = gathers ? gathered_pixels : p.last - p.first;
    for (int first = p.first; first < p.last; first += step) {
        const int count = least(step, p.last - first);
        const Element* source = p.in + std::ptrdiff_t{1} * first * lanes;
        const std::ptrdiff_t row = (gathers ? std::ptrdiff_t{1} * count : plane) * lanes;
        if (gathers)
            for (int block = 0; block < p.in_blocks; ++block)
                for (int i = 0; i < count; ++i)
                    std::memcpy(p.scratch + block * row + i * lanes,
                                source + (block * plane + i) * lanes, lanes * sizeof(Element));
        products(gathers ? p.scratch : source, row, count, p.in_blocks, p.weights, p.out_blocks,
                 [&](int i, int block, auto& sums) {
                     writeFinished(p.epilogue, block, block * plane + first + i, sums, p.out);
                 });
    }
}

// ---- Winograd -----------------------------------------------------------------------------------

constexpr float point_b = static_cast<float>(WinogradTile::point);
constexpr float point_a = static_cast<float>(1 / WinogradTile::point);
constexpr float square_a = static_cast<float>(1 / WinogradTile::point / WinogradTile::point);
constexpr float square_b = static_cast<float>(WinogradTile::point * WinogradTile::point);
constexpr float square_sum = square_a + square_b;

/// The input transform of one row or column of a tile.
inline void transformInput(const Vec (&d)[6], Vec (&out)[6]) {
    const Vec even_a = d[4] - square_b * d[2];
    const Vec odd_a = point_a * (d[3] - square_b * d[1]);
    const Vec even_b = d[4] - square_a * d[2];
    const Vec odd_b = point_b * (d[3] - square_a * d[1]);
    out[0] = d[0] + d[4] - square_sum * d[2];
    out[1] = even_a + odd_a;
    out[2] = even_a - odd_a;
    out[3] = even_b + odd_b;
    out[4] = even_b - odd_b;
    out[5] = d[1] + d[5] - square_sum * d[3];
}

/// The output transform of one row or column of a tile.
inline void transformOutput(const Vec (&m)[6], Vec (&out)[4]) {
    const Vec even_a = m[1] + m[2];
    const Vec odd_a = point_a * (m[1] - m[2]);
    const Vec even_b = m[3] + m[4];
    const Vec odd_b = point_b * (m[3] - m[4]);
    out[0] = m[0] + even_a + even_b;
    out[1] = odd_a + odd_b;
    out[2] = square_a * even_a + square_b * even_b;
    out[3] = m[5] + square_a * odd_a + square_b * odd_b;
}

/// Block `block` of the input of a tile, zero outside of the map, transformed to 36 places.
template <typename Element>
void readTile(const Winograd<Element>& w, int tile, int block, Element* out, std::ptrdiff_t step) {
    const int top = tile / w.tile_cols * WinogradTile::out_side - w.pad_top;
    const int left = tile % w.tile_cols * WinogradTile::out_side - w.pad_left;
    const bool inside = top >= 0 && left >= 0 && top + WinogradTile::side <= w.in_height &&
                        left + WinogradTile::side <= w.in_width;
    const Element* map = w.in + std::ptrdiff_t{1} * block * w.in_height * w.in_width * lanes;
    Vec rows[6][6];
#pragma GCC unroll 6
    for (int y = 0; y < 6; ++y) {
        Vec line[6] = {};
        const Element* from = map + (std::ptrdiff_t{1} * (top + y) * w.in_width + left) * lanes;
        if (inside) {
#pragma GCC unroll 6
            for (int x = 0; x < 6; ++x)
                line[x] = load(from + x * lanes);
        } else if (top + y >= 0 && top + y < w.in_height) {
            for (int x = 0; x < 6; ++x)
                if (left + x >= 0 && left + x < w.in_width)
                    line[x] = load(from + x * lanes);
        }
        transformInput(line, rows[y]);
    }
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) {
        const Vec column[6] = {rows[0][x], rows[1][x], rows[2][x],
                               rows[3][x], rows[4][x], rows[5][x]};
        Vec result[6];
        transformInput(column, result);
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y)
            store(out + (y * 6 + x) * step, result[y]);
    }
}

/// Block `block` of the output of a tile, from 36 places.
template <typename Element>
void writeTile(const Winograd<Element>& w, int tile, int block, const float* in,
               std::ptrdiff_t step) {
    const int top = tile / w.tile_cols * WinogradTile::out_side;
    const int left = tile % w.tile_cols * WinogradTile::out_side;
    Vec rows[6][4];
#pragma GCC unroll 6
    for (int y = 0; y < 6; ++y) {
        Vec line[6];
#pragma GCC unroll 6
        for (int x = 0; x < 6; ++x)
            line[x] = load(in + (y * 6 + x) * step);
        transformOutput(line, rows[y]);
    }
    Vec square[4][4];
#pragma GCC unroll 4
    for (int x = 0; x < 4; ++x) {
        const Vec column[6] = {rows[0][x], rows[1][x], rows[2][x],
                               rows[3][x], rows[4][x], rows[5][x]};
        Vec result[4];
        transformOutput(column, result);
#pragma GCC unroll 4
        for (int y = 0; y < 4; ++y)
            square[y][x] = result[y];
    }
    const int height = least(4, w.height - top);
    const int width = least(4, w.width - left);
    for (int y = 0; y < height; ++y) {
        const std::ptrdiff_t place =
            (std::ptrdiff_t{1} * block * w.height + top + y) * w.width + left;
        if (width == 4) {
            writeFinished(w.epilogue, block, place, square[y], w.out);
            continue;
        }
        for (int x = 0; x < width; ++x) {
            Vec one[] = {square[y][x]};
            writeFinished(w.epilogue, block, place + x, one, w.out);
        }
    }
}

template <typename Element>
void winograd(const Winograd<Element>& w) {
    constexpr int places = WinogradTile::places;
    const int count = w.last - w.first;
    const std::ptrdiff_t row = std::ptrdiff_t{1} * count * lanes;
    Element* in = reinterpret_cast<Element*>(w.scratch);
    float* out = w.scratch + w.in_step * places;
    for (int block = 0; block < w.in_blocks; ++block)
        for (int i = 0; i < count; ++i)
            readTile(w, w.first + i, block, in + block * row + i * lanes, w.in_step);
    const std::ptrdiff_t weights = std::ptrdiff_t{1} * w.out_blocks * w.in_blocks * lanes * lanes;
    for (int place = 0; place < places; ++place) {
        float* target = out + place * w.out_step;
        products(in + place * w.in_step, row, count, w.in_blocks, w.weights + place * weights,
                 w.out_blocks, [&](int i, int block, auto& sums) {
                     float* to = target + block * row + i * lanes;
                     for (const Vec& sum : sums) {
                         store(to, sum);
                         to += lanes;
                     }
                 });
    }
    for (int block = 0; block < w.out_blocks; ++block)
        for (int i = 0; i < count; ++i)
            writeTile(w, w.first + i, block, out + block * row + i * lanes, w.out_step);
}

// ---- Thin maps ----------------------------------------------------------------------------------

/// Copies what the rows of the result need, with zeros around it.
template <typename Element>
void fillPatch(const Thin<Element>& t, int rows) {
    const int begin = least(t.pad_left, t.patch_width);
    const int end = least(t.pad_left + t.in_width, t.patch_width);
    float* row = t.patch;
    for (int c = 0; c < t.channels; ++c)
        for (int r = 0; r < rows; ++r, row += t.patch_width) {
            const int y = t.first * t.stride[0] - t.pad_top + r;
            std::memset(row, 0, t.patch_width * sizeof(float));
            if (y >= 0 && y < t.in_height)
                std::memcpy(row + begin,
                            t.in + (std::ptrdiff_t{1} * c * t.in_height + y) * t.in_width,
                            (end - begin) * sizeof(float));
        }
}

/// `count` neighbouring pixels of a block; `patch`: under the first tap of the first one, `plane`:
/// floats from one channel of the patch to the next; `stride`: columns of it from one pixel to the
/// next, which the compiler has to know for fast loads.
template <int count, int stride, typename Element>
void sumThin(const Thin<Element>& t, const float* patch, std::ptrdiff_t plane, int block,
             std::ptrdiff_t place) {
    const float* weights =
        t.weights + std::ptrdiff_t{1} * block * t.channels * t.kernel[0] * t.kernel[1] * lanes;
    Vec sum[count] = {};
    for (int c = 0; c < t.channels; ++c)
        for (int y = 0; y < t.kernel[0]; ++y) {
            const float* from =
                patch + c * plane + std::ptrdiff_t{1} * y * t.dilation[0] * t.patch_width;
            for (int x = 0; x < t.kernel[1]; ++x, from += t.dilation[1], weights += lanes) {
                const Vec weight = load(weights);
#pragma GCC unroll 12
                for (int i = 0; i < count; ++i)
                    sum[i] += from[i * stride] * weight;
            }
        }
    constexpr int group = finished_together<count>;
#pragma GCC unroll 3
    for (int i = 0; i < count; i += group) {
        Vec values[group];
        sideBySide<group>([&](int j) { values[j] = sum[i + j]; });
        writeFinished(t.epilogue, block, place + i, values, t.out);
    }
}

template <typename Element>
void thin(const Thin<Element>& t) {
    const int rows = (t.last - t.first - 1) * t.stride[0] + (t.kernel[0] - 1) * t.dilation[0] + 1;
    const std::ptrdiff_t plane = std::ptrdiff_t{1} * rows * t.patch_width;
    const auto many = t.stride[1] == 1 ? sumThin<product_places, 1, Element>
                                       : sumThin<product_places, 2, Element>;
    fillPatch(t, rows);
    for (int block = 0; block < t.out_blocks; ++block)
        for (int y = t.first; y < t.last; ++y) {
            const float* patch =
                t.patch + std::ptrdiff_t{1} * (y - t.first) * t.stride[0] * t.patch_width;
            const std::ptrdiff_t row = (std::ptrdiff_t{1} * block * t.height + y) * t.width;
            int x = 0;
            if (t.stride[1] <= 2)
                for (; x + product_places <= t.width; x += product_places)
                    many(t, patch + x * t.stride[1], plane, block, row + x);
            for (; x < t.width; ++x)
                sumThin<1, 0>(t, patch + x * t.stride[1], plane, block, row + x);
        }
}
