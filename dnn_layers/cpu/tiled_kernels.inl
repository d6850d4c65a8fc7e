// Convolutions by Intel's tile registers (AMX). Part of kernels.inl.

#if defined(__AMX_BF16__)

constexpr int tile_places = 16;
constexpr long tile_row_bytes = 64;
constexpr int weight_tile = tile_channels * lanes;

/// Shapes of the tile registers while one of these exists: sums in 0 to 3, [16 pixels][16 channels]
/// of float32; pixels in 4 and 5, [16][32 channels]; weights in 6 and 7, [16 pairs of
/// channels][16][2].
class TileScope {
public:
    TileScope() {
        // Constant: the intrinsic does not tell the compiler that it reads all of it.
        alignas(64) static const uint8_t shapes[64] = {
            1,  0,  0,  0,  0,  0,  0,  0, 0,  0, 0,  0, 0,  0, 0,  0, // palette 1
            64, 0,  64, 0,  64, 0,  64, 0, 64, 0, 64, 0, 64, 0, 64, 0, // bytes of a row
            0,  0,  0,  0,  0,  0,  0,  0, 0,  0, 0,  0, 0,  0, 0,  0, //
            16, 16, 16, 16, 16, 16, 16, 16};                           // rows
        _tile_loadconfig(shapes);
    }
    ~TileScope() { _tile_release(); }
    TileScope(const TileScope&) = delete;
    TileScope& operator=(const TileScope&) = delete;
};

/// Neighbouring pixels of the patch in a row.
struct TileRun {
    const Bfloat16* patch; ///< of the first pixel, under the kernel's first tap
    int pixels;
    float* sums; ///< of the first pixel in the first block
};

/// The sums of one or two times 16 pixels in one or two blocks of channels.
template <int halves, int blocks>
void sumTiles(const Tiled& t, std::ptrdiff_t plane, const Bfloat16* weights, const Bfloat16* patch,
              float* sums) {
    const int tiles = (t.in_blocks + 1) / 2;
    const std::ptrdiff_t weight_step =
        std::ptrdiff_t{1} * t.kernel[0] * t.kernel[1] * tiles * weight_tile;
    const std::ptrdiff_t half = std::ptrdiff_t{1} * tile_places * t.stride[1] * tile_channels;
    const long step = t.stride[1] * tile_row_bytes;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int y = 0; y < t.kernel[0]; ++y)
        for (int x = 0; x < t.kernel[1]; ++x) {
            const Bfloat16* tap = patch + (std::ptrdiff_t{1} * y * t.dilation[0] * t.patch_width +
                                           x * t.dilation[1]) *
                                              tile_channels;
            for (int tile = 0; tile < tiles; ++tile, tap += plane, weights += weight_tile) {
                _tile_loadd(4, tap, step);
                _tile_loadd(6, weights, tile_row_bytes);
                _tile_dpbf16ps(0, 4, 6);
                if constexpr (halves > 1) {
                    _tile_loadd(5, tap + half, step);
                    _tile_dpbf16ps(1, 5, 6);
                }
                if constexpr (blocks > 1) {
                    _tile_loadd(7, weights + weight_step, tile_row_bytes);
                    _tile_dpbf16ps(2, 4, 7);
                }
                if constexpr (halves > 1 && blocks > 1)
                    _tile_dpbf16ps(3, 5, 7);
            }
        }
    _tile_stored(0, sums, tile_row_bytes);
    if constexpr (halves > 1)
        _tile_stored(1, sums + tile_places * lanes, tile_row_bytes);
    if constexpr (blocks > 1)
        _tile_stored(2, sums + t.sums_step, tile_row_bytes);
    if constexpr (halves > 1 && blocks > 1)
        _tile_stored(3, sums + t.sums_step + tile_places * lanes, tile_row_bytes);
}

template <int blocks>
void sumRun(const Tiled& t, std::ptrdiff_t plane, const Bfloat16* weights, const TileRun& run) {
    for (int i = 0; i < run.pixels; i += 2 * tile_places) {
        const Bfloat16* patch = run.patch + std::ptrdiff_t{1} * i * t.stride[1] * tile_channels;
        if (run.pixels - i > tile_places)
            sumTiles<2, blocks>(t, plane, weights, patch, run.sums + i * lanes);
        else
            sumTiles<1, blocks>(t, plane, weights, patch, run.sums + i * lanes);
    }
}

/// One row of a pair of planes of the input, a pixel's channels side by side; `second` may be null.
void fillRow(const Tiled& t, const Bfloat16* first, const Bfloat16* second, Bfloat16* row) {
    constexpr int bytes = lanes * sizeof(Bfloat16);
    const int begin = least(t.pad_left, t.patch_width);
    const int end = least(t.pad_left + t.in_width, t.patch_width);
    std::memset(row, 0, std::size_t{1} * begin * 2 * bytes);
    for (int x = begin; x < end; ++x) {
        const std::ptrdiff_t from = std::ptrdiff_t{1} * (x - t.pad_left) * lanes;
        std::memcpy(row + x * tile_channels, first + from, bytes);
        if (second)
            std::memcpy(row + x * tile_channels + lanes, second + from, bytes);
        else
            std::memset(row + x * tile_channels + lanes, 0, bytes);
    }
    if (end < t.patch_width)
        std::memset(row + end * tile_channels, 0,
                    std::size_t{1} * (t.patch_width - end) * 2 * bytes);
}

/// Copies what the rows of the result need to [pairs of planes][rows][patch_width][32 channels].
void fillPatch(const Tiled& t, int rows) {
    const std::ptrdiff_t plane = std::ptrdiff_t{1} * t.in_height * t.in_width * lanes;
    Bfloat16* row = t.patch;
    for (int block = 0; block < t.in_blocks; block += 2)
        for (int r = 0; r < rows; ++r, row += t.patch_width * tile_channels) {
            const int y = t.first * t.stride[0] - t.pad_top + r;
            if (y < 0 || y >= t.in_height) {
                std::memset(row, 0, std::size_t{1} * t.patch_width * tile_row_bytes);
                continue;
            }
            const Bfloat16* first =
                t.in + block * plane + std::ptrdiff_t{1} * y * t.in_width * lanes;
            fillRow(t, first, block + 1 < t.in_blocks ? first + plane : nullptr, row);
        }
}

/// Writes the rows of a block whose sums lie `pitch` pixels apart.
void finishRows(const Tiled& t, int block, const float* sums, int pitch) {
    for (int y = t.first; y < t.last; ++y, sums += std::ptrdiff_t{1} * pitch * lanes) {
        const std::ptrdiff_t row = (std::ptrdiff_t{1} * block * t.height + y) * t.width;
        int x = 0;
        for (; x + 4 <= t.width; x += 4) {
            Vec four[4];
            sideBySide<4>([&](int i) { four[i] = load(sums + (x + i) * lanes); });
            writeFinished(t.epilogue, block, row + x, four, t.out);
        }
        for (; x < t.width; ++x) {
            Vec one[] = {load(sums + x * lanes)};
            writeFinished(t.epilogue, block, row + x, one, t.out);
        }
    }
}

/// With a stride of one, the rows of the patch follow one another as one run.
void tiled(const Tiled& t) {
    const int rows = t.last - t.first;
    const int patch_rows = (rows - 1) * t.stride[0] + (t.kernel[0] - 1) * t.dilation[0] + 1;
    const std::ptrdiff_t plane = std::ptrdiff_t{1} * patch_rows * t.patch_width * tile_channels;
    const bool together = t.stride[0] == 1 && t.stride[1] == 1;
    const int pitch = together ? t.patch_width : t.width;
    fillPatch(t, patch_rows);
    asm volatile("" ::: "memory"); // the loads of tiles do not tell that they read memory

    const TileScope scope;
    const std::ptrdiff_t weight_step =
        std::ptrdiff_t{1} * t.kernel[0] * t.kernel[1] * ((t.in_blocks + 1) / 2) * weight_tile;
    for (int block = 0; block < t.out_blocks; block += 2) {
        const int blocks = least(2, t.out_blocks - block);
        const auto sum = blocks > 1 ? sumRun<2> : sumRun<1>;
        const Bfloat16* weights = t.weights + block * weight_step;
        for (int r = 0; r < (together ? 1 : rows); ++r)
            sum(t, plane, weights,
                {t.patch + std::ptrdiff_t{1} * r * t.stride[0] * t.patch_width * tile_channels,
                 together ? (rows - 1) * pitch + t.width : t.width,
                 t.sums + std::ptrdiff_t{1} * r * pitch * lanes});
        for (int b = 0; b < blocks; ++b)
            finishRows(t, block + b, t.sums + b * t.sums_step, pitch);
    }
}

constexpr auto tiled_kernel = tiled;

#else

constexpr void (*tiled_kernel)(const Tiled&) = nullptr;

#endif
