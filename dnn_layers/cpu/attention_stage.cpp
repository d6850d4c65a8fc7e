#include "cpu/attention_stage.hpp"

#include "cpu/parallel.hpp"
#include "cpu/rounding.hpp"
#include "cpu/slopes.hpp"

#include <opencv2/core/utility.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace irmb::cpu {
namespace {

/// Tokens of a tile, unless one window has more.
constexpr int tile_tokens = 640;
/// Queries of one task, in windows that are larger than that.
constexpr int task_queries = 1024;
/// Fewer heads in one task would gather the tokens too often.
constexpr int least_heads = 4;

} // namespace

/// How the windows of a map are cut into tiles and tasks.
struct AttentionStage::Grid {
    Grid(const IrmbParams& params, int h, int w) : height(h), width(w) {
        window_h = params.window_size > 0 ? params.window_size : height;
        window_w = params.window_size > 0 ? params.window_size : width;
        rows = ceilDivide(height, window_h);
        cols = ceilDivide(width, window_w);
        const auto tokens = std::min(static_cast<int64_t>(window_h) * window_w,
                                     static_cast<int64_t>(height) * width);
        const int most = static_cast<int>(std::max<int64_t>(1, tile_tokens / tokens));
        tiles_in_row = ceilDivide(cols, most);
        tile_windows = ceilDivide(cols, tiles_in_row);
        query_parts = ceilDivide(static_cast<int>(tokens), task_queries);
        const int tiles = rows * tiles_in_row;
        const int wanted = ceilDivide(4 * cv::getNumThreads(), tiles * query_parts);
        const int most_groups = std::max(1, params.heads() / least_heads);
        head_groups = cv::getNumThreads() > 1 ? std::clamp(wanted, 1, most_groups) : 1;
        tasks = tiles * query_parts * head_groups;
    }

    int height;
    int width;
    int window_h;
    int window_w;
    int rows; ///< of windows
    int cols;
    int tiles_in_row;
    int tile_windows;
    int query_parts;
    int head_groups;
    int tasks;
};

struct AttentionStage::Task {
    Task(const Grid& g, int heads, int number) : grid(g) {
        part = number % g.query_parts;
        number /= g.query_parts;
        const int group = number % g.head_groups;
        number /= g.head_groups;
        head_begin = heads * group / g.head_groups;
        head_end = heads * (group + 1) / g.head_groups;
        row = number / g.tiles_in_row;
        col_begin = number % g.tiles_in_row * g.tile_windows;
        col_end = std::min(g.cols, col_begin + g.tile_windows);
    }

    const Grid& grid;
    int part; ///< of the queries
    int head_begin;
    int head_end;
    int row; ///< of windows
    int col_begin;
    int col_end;
};

/// The tokens of a tile, window after window, without the padded ones. Pixels are counted from the
/// tile's first row on, so that tiles of the same columns and as many rows share one.
struct AttentionStage::Tile {
    Tile(const Task& task, const MapView& out)
        : rows(rowsOf(task)), col_begin(task.col_begin), col_end(task.col_end) {
        const Grid& g = task.grid;
        const std::size_t most =
            std::size_t{1} * rows * ceilDivide(g.width, g.cols) * (task.col_end - task.col_begin);
        for (std::vector<int>* list : {&source, &token, &target})
            list->reserve(most);
        for (int col = task.col_begin; col < task.col_end; ++col) {
            window_begin.push_back(tokens());
            for (int row = 0; row < rows; ++row)
                for (int x = col; x < g.width; x += g.cols)
                    source.push_back(row * g.rows * g.width + x);
        }
        window_begin.push_back(tokens());
        ld = leadingDimension(tokens());
        orderByRows(task, out);
    }

    /// Rows of the map that the windows of a task have.
    static int rowsOf(const Task& task) {
        return ceilDivide(task.grid.height - task.row, task.grid.rows);
    }

    bool isOf(const Task& task) const {
        return rows == rowsOf(task) && col_begin == task.col_begin && col_end == task.col_end;
    }

    /// Neighbours of the map belong to different windows; to write them in turn is faster than to
    /// write one window after the other.
    void orderByRows(const Task& task, const MapView& out) {
        const Grid& g = task.grid;
        std::vector<int> next(window_begin.begin(), window_begin.end() - 1);
        for (int row = 0; row < rows; ++row)
            for (int first = 0; first < g.width; first += g.cols)
                for (int col = task.col_begin; col < task.col_end && first + col < g.width; ++col) {
                    token.push_back(next[col - task.col_begin]++);
                    target.push_back(static_cast<int>(row * g.rows * out.row) + first + col);
                }
    }

    int tokens() const { return static_cast<int>(source.size()); }

    int rows;
    int col_begin; ///< of windows
    int col_end;
    std::vector<int> source;       ///< pixel in the image of each token
    std::vector<int> window_begin; ///< first token of each window, and the end of the last one
    std::vector<int> token;        ///< tokens in the order of the map
    std::vector<int> target;       ///< their places in a plane of the output
    std::ptrdiff_t ld;
};

struct AttentionStage::Scratch {
    static std::size_t size(const AttentionStage& stage, const Tile& tile) {
        const Kernels& kernel = kernels();
        const std::size_t rows =
            stage.params_.dim_in + stage.qkv_[0].rows() + std::size_t{2} * stage.dim_value_;
        return rows * tile.ld + kernel.attentionScratch(stage.dim_value_) + 8 * kernel.lanes;
    }

    Scratch(const AttentionStage& stage, const Tile& tile, float* memory) {
        const int d = stage.params_.dim_head;
        Arena arena(memory, kernels().lanes);
        x = arena.take(stage.params_.dim_in * tile.ld);
        q = arena.take(stage.qkv_[0].rows() * tile.ld);
        k = q + d * tile.ld;
        v = stage.v_.empty() ? k + d * tile.ld : arena.take(stage.dim_value_ * tile.ld);
        out = arena.take(stage.dim_value_ * tile.ld);
        attention = arena.take(kernels().attentionScratch(stage.dim_value_));
    }

    float* x;   ///< [C][ld]
    float* q;   ///< [dim_head][ld]
    float* k;   ///< [dim_head][ld]
    float* v;   ///< [dim_value][ld]
    float* out; ///< [dim_value][ld]
    float* attention;
};

AttentionStage::AttentionStage(const IrmbParams& params, const IrmbWeights& weights)
    : params_(params),
      dim_value_(params.attn_pre ? params.dim_head : params.dim_mid / params.heads()),
      slopes_(slopesOf(weights.v_slope, params.dim_mid)) {
    for (int head = 0; head < params.heads(); ++head)
        packHead(head, weights);
    packPadding(weights);
}

void AttentionStage::packHead(int head, const IrmbWeights& w) {
    const int c = params_.dim_in;
    const int d = params_.dim_head;
    const bool with_v = !params_.attn_pre && !params_.v_group;
    const auto rowOf = [](const cv::Mat& mat, int row, int cols) {
        return mat.empty() ? nullptr : mat.ptr<float>() + static_cast<std::size_t>(row) * cols;
    };
    // The logits' scale, and log2(e) because the softmax has the base 2.
    const auto scale = static_cast<float>(1.4426950408889634 / std::sqrt(params_.dim_head));

    PackedMatrix qkv(2 * d + (with_v ? dim_value_ : 0), c);
    const int q = head * d;
    const int k = c + head * d;
    const int v = head * dim_value_;
    qkv.setRows(0, d, rowOf(w.qk_weight, q, c), rowOf(w.qk_bias, q, 1), scale);
    qkv.setRows(d, d, rowOf(w.qk_weight, k, c), rowOf(w.qk_bias, k, 1));
    if (with_v)
        qkv.setRows(2 * d, dim_value_, rowOf(w.v_weight, v, c), rowOf(w.v_bias, v, 1));
    qkv_.push_back(std::move(qkv));
    if (params_.attn_pre || with_v)
        return;
    PackedMatrix grouped(dim_value_, d);
    grouped.setRows(0, dim_value_, rowOf(w.v_weight, v, d), rowOf(w.v_bias, v, 1));
    v_.push_back(std::move(grouped));
}

void AttentionStage::packPadding(const IrmbWeights& w) {
    padding_k_.resize(params_.dim_in);
    if (params_.qk_bias)
        std::copy_n(w.qk_bias.ptr<float>() + params_.dim_in, params_.dim_in, padding_k_.begin());
    padding_v_.resize(channels());
    if (params_.attn_pre)
        return;
    if (params_.v_bias)
        std::copy_n(w.v_bias.ptr<float>(), padding_v_.size(), padding_v_.begin());
    for (int c = 0; c < channels(); ++c)
        kernels().activate(params_.act, slopes_[c], &padding_v_[c], 1);
}

void AttentionStage::run(const TokenSource& x, const MapView& out, BufferPool& pool) const {
    const Grid grid(params_, out.height, out.width);
    parallelFor(grid.tasks, [&](const cv::Range& range) {
        std::optional<Tile> tile;
        for (int number = range.start; number < range.end; ++number) {
            const Task task(grid, params_.heads(), number);
            if (!tile || !tile->isOf(task))
                tile.emplace(task, out);
            runTask(task, *tile, x, out, pool);
        }
    });
}

void AttentionStage::runTask(const Task& task, const Tile& tile, const TokenSource& x,
                             const MapView& out, BufferPool& pool) const {
    BufferPool::Buffer buffer = pool.borrow(Scratch::size(*this, tile));
    const Scratch scratch(*this, tile, buffer.data());
    x.read(tile.source.data(), task.row * task.grid.width, tile.tokens(), scratch.x, tile.ld);

    const bool whole = task.grid.query_parts == 1;
    const int begin = whole ? 0 : task.part * task_queries;
    const int end = whole ? tile.tokens() : std::min(tile.tokens(), begin + task_queries);
    for (int head = task.head_begin; head < task.head_end; ++head) {
        projectHead(head, tile, scratch);
        attendHead(head, task, tile, scratch);
        kernels().scatter({scratch.out, tile.ld, tile.token.data() + begin,
                           tile.target.data() + begin, dim_value_, end - begin,
                           out.at(head * dim_value_, task.row, 0), out.plane});
    }
}

void AttentionStage::projectHead(int head, const Tile& tile, const Scratch& scratch) const {
    const Kernels& kernel = kernels();
    kernel.gemm(qkv_[head].times(scratch.x, tile.ld, tile.tokens(), scratch.q, tile.ld));
    if (params_.attn_pre)
        return;
    if (!v_.empty())
        kernel.gemm(v_[head].times(scratch.x + head * params_.dim_head * tile.ld, tile.ld,
                                   tile.tokens(), scratch.v, tile.ld));
    for (int c = 0; c < dim_value_; ++c)
        kernel.activate(params_.act, slopes_[head * dim_value_ + c], scratch.v + c * tile.ld,
                        tile.tokens());
}

/// By the inequality of Cauchy and Schwarz.
bool AttentionStage::isBounded(int head, const Tile& tile, const Scratch& scratch) const {
    const int d = params_.dim_head;
    const float* pad_k = padding_k_.data() + head * d;
    const float key = std::max(kernels().longest(scratch.k, tile.ld, d, tile.tokens()),
                               std::inner_product(pad_k, pad_k + d, pad_k, 0.f));
    return kernels().longest(scratch.q, tile.ld, d, tile.tokens()) * key <= most_logit * most_logit;
}

void AttentionStage::attendHead(int head, const Task& task, const Tile& tile,
                                const Scratch& scratch) const {
    const Grid& grid = task.grid;
    const double places = static_cast<double>(grid.window_h) * grid.window_w;
    const float* values =
        params_.attn_pre ? scratch.x + head * params_.dim_head * tile.ld : scratch.v;
    Attention a = {};
    a.ld = a.ldv = a.ldo = tile.ld;
    a.dim_head = params_.dim_head;
    a.dim_value = dim_value_;
    a.bounded = isBounded(head, tile, scratch);
    a.pad_k = padding_k_.data() + head * params_.dim_head;
    a.pad_v = padding_v_.data() + head * dim_value_;
    a.scratch = scratch.attention;
    for (std::size_t window = 0; window + 1 < tile.window_begin.size(); ++window) {
        const int first = tile.window_begin[window];
        a.q = scratch.q + first;
        a.k = scratch.k + first;
        a.v = values + first;
        a.out = scratch.out + first;
        a.tokens = tile.window_begin[window + 1] - first;
        a.query_begin = grid.query_parts == 1 ? 0 : task.part * task_queries;
        a.query_end =
            grid.query_parts == 1 ? a.tokens : std::min(a.tokens, a.query_begin + task_queries);
        a.padding = static_cast<float>(places - a.tokens);
        kernels().attention(a);
    }
}

} // namespace irmb::cpu
