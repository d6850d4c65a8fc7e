#include "cuda/irmb_kernels.hpp"

#include "cuda/device_array.hpp"
#include "cuda/launchers.hpp"
#include "cuda/layout.hpp"
#include "cuda/prepare.hpp"
#include "cuda/require.hpp"

#include <algorithm>
#include <limits>

namespace irmb::cuda {
namespace {

/// `layer` is "iRMB 'name'" throughout.
[[noreturn]] void fail(const std::string& layer, const std::string& what) {
    throw Error(layer + ": " + what);
}

float convert(float value, float /*like*/) {
    return value;
}
__half convert(float value, __half /*like*/) {
    return __float2half_rn(value);
}

/// The weights in tiles: [outputs / 8][depth / step_depth][weight_tile].
template <typename T>
std::vector<T> tiled(const Matrix& matrix) {
    constexpr int depth = step_depth<T>;
    const int steps = matrix.depth / depth;
    std::vector<T> tiles(matrix.weights.size());
    for (int o = 0; o < matrix.outputs; ++o)
        for (int k = 0; k < matrix.depth; ++k) {
            const std::size_t tile = static_cast<std::size_t>(o / 8) * steps + k / depth;
            tiles[tile * weight_tile<T> + placeInTile<T>(o % 8, k % depth)] =
                convert(matrix.weights[static_cast<std::size_t>(o) * matrix.depth + k], T());
        }
    return tiles;
}

template <typename T>
struct DeviceLinear {
    DeviceLinear(const Matrix& matrix, const std::string& layer)
        : weights(tiled<T>(matrix), layer),
          bias(matrix.bias, layer),
          slope(matrix.slope, layer),
          outputs(matrix.outputs),
          depth(matrix.depth) {
        if (static_cast<double>(outputs) * depth > std::numeric_limits<int>::max())
            fail(layer, "a convolution of " + std::to_string(outputs) + " x " +
                            std::to_string(depth) + " weights is too large for the CUDA kernels");
    }

    /// Activates the outputs o with o % period >= begin.
    Linear<T> view(Activation act, int period, int begin) const {
        return {weights.data(), bias.data(), slope.data(), act, period, begin, outputs, depth};
    }
    Linear<T> view(Activation act) const { return view(act, 1, 0); }

    DeviceArray<T> weights;
    DeviceArray<float> bias;
    DeviceArray<float> slope;
    int outputs;
    int depth;
};

/// Places of a scratch buffer, one after the other.
class Places {
public:
    template <typename U>
    std::size_t take(std::size_t elements) {
        const std::size_t place = bytes_;
        bytes_ += (elements * sizeof(U) + 255) / 256 * 256;
        return place;
    }
    std::size_t bytes() const { return bytes_; }

private:
    std::size_t bytes_ = 0;
};

/// What is done for maps of one shape, and where in the scratch memory results lie.
struct Plan {
    MapShape shape;
    int pixels;
    int out_height;
    int out_width;
    WindowGrid grid;
    bool fused = false; ///< windowAttention() can do it
    int heads_per_block = 1;

    std::size_t mean = 0;    ///< of groups of channels
    std::size_t scale = 0;   ///< of groups of channels
    std::size_t qkv = 0;     ///< in front of tiledAttention()
    std::size_t context = 0; ///< result of the attention in front of v's convolution
    std::size_t values = 0;  ///< what the local branch works on
    std::size_t local = 0;   ///< in front of the gates
    std::size_t sums = 0;
    std::size_t squeezed = 0;
    std::size_t hidden = 0;
    std::size_t gates = 0;
    std::size_t bytes = 0;
};

MapLayout planar(int channels, int pixels) {
    return {static_cast<long long>(channels) * pixels, 1, pixels};
}
MapLayout tokenMajor(int channels, int pixels) {
    return {static_cast<long long>(channels) * pixels, channels, 1};
}

/// Output positions of the depthwise convolution along one axis.
int convolvedSize(const IrmbParams& p, int size) {
    const long long extent = p.dilation * static_cast<long long>(p.dw_ks - 1) + 1;
    const long long room = size + 2LL * p.dwPadding() - extent;
    return room < 0 ? 0 : static_cast<int>(room / p.stride) + 1;
}

} // namespace

template <typename T>
struct IrmbKernels<T>::Impl {
    Impl(const IrmbParams& p, const Prepared& w, const std::string& name);

    Plan plan(const MapShape& shape) const;
    void requireIndexable(const Plan& plan) const;
    void planAttention(Plan& plan) const;
    AttentionArgs<T> attentionArgs(const Plan& plan) const;

    bool measuresInput() const {
        return params.norm == Norm::Instance || params.norm == Norm::Group;
    }
    bool convolvesTokens() const { return !params.attention || params.attn_pre; }
    bool isBlock() const { return params.part == Part::Block; }

    template <typename Sink>
    void forEachLaunch(const Plan& plan, const T* x, T* y, void* scratch, Sink&& sink) const;

    IrmbParams params;
    std::string layer;
    int head_q;
    int head_v;
    int head_value;
    int mid;
    int processors = 0;
    int shared_bytes = 0; ///< most that a block may have

    DeviceArray<float> norm_mean;
    DeviceArray<float> norm_scale;
    DeviceArray<float> norm_shift;
    DeviceLinear<T> qkv;
    DeviceLinear<T> v;
    DeviceArray<float> local_weights;
    DeviceArray<float> local_bias;
    DeviceArray<float> se_reduce_weights;
    DeviceArray<float> se_reduce_bias;
    DeviceArray<float> se_slope;
    DeviceArray<float> se_expand_weights;
    DeviceArray<float> se_expand_bias;
    DeviceLinear<T> proj;
};

template <typename T>
IrmbKernels<T>::Impl::Impl(const IrmbParams& p, const Prepared& w, const std::string& name)
    : params(p),
      layer("iRMB '" + name + "'"),
      head_q(w.head_q),
      head_v(w.head_v),
      head_value(w.head_value),
      mid(w.mid),
      norm_mean(w.norm_mean, layer),
      norm_scale(w.norm_scale, layer),
      norm_shift(w.norm_shift, layer),
      qkv(w.qkv, layer),
      v(w.v, layer),
      local_weights(w.local_weights, layer),
      local_bias(w.local_bias, layer),
      se_reduce_weights(w.se_reduce_weights, layer),
      se_reduce_bias(w.se_reduce_bias, layer),
      se_slope(w.se_slope, layer),
      se_expand_weights(w.se_expand_weights, layer),
      se_expand_bias(w.se_expand_bias, layer),
      proj(w.proj, layer) {
    int device = 0;
    require(cudaGetDevice(&device), layer, {"cudaGetDevice"});
    require(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device), layer,
            {"cudaDeviceGetAttribute"});
    require(cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
            layer, {"cudaDeviceGetAttribute"});
}

/// Kernels count the elements of one image, and channels of all images, in int.
template <typename T>
void IrmbKernels<T>::Impl::requireIndexable(const Plan& plan) const {
    const double pixels = static_cast<double>(plan.shape.height) * plan.shape.width + 1;
    const double out_pixels = static_cast<double>(plan.out_height) * plan.out_width;
    const int widest = std::max({params.dim_in, params.dim_mid, mid, qkv.outputs, qkv.depth,
                                 v.outputs, v.depth, params.se_channels});
    const double most = std::max({pixels * widest, out_pixels * std::max(mid, params.dim_out),
                                  static_cast<double>(plan.shape.images) * widest});
    if (most > std::numeric_limits<int>::max() || plan.shape.images > 65535)
        fail(layer, "a batch of " + std::to_string(plan.shape.images) + " maps of " +
                        std::to_string(plan.shape.height) + "x" + std::to_string(plan.shape.width) +
                        " is too large for the CUDA kernels");
}

template <typename T>
Plan IrmbKernels<T>::Impl::plan(const MapShape& shape) const {
    Plan plan = {};
    plan.shape = shape;
    plan.out_height = isBlock() ? convolvedSize(params, shape.height) : shape.height;
    plan.out_width = isBlock() ? convolvedSize(params, shape.width) : shape.width;
    if (shape.images < 1 || plan.out_height < 1 || plan.out_width < 1)
        fail(layer, "a batch of " + std::to_string(shape.images) + " maps of " +
                        std::to_string(shape.height) + "x" + std::to_string(shape.width) +
                        " is empty or too small for the depthwise kernel");
    requireIndexable(plan);
    plan.pixels = shape.height * shape.width;
    if (params.attention)
        planAttention(plan);

    Places places;
    const std::size_t images = shape.images;
    const std::size_t pixels = plan.pixels;
    const std::size_t out_pixels = static_cast<std::size_t>(plan.out_height) * plan.out_width;
    if (measuresInput()) {
        plan.mean = places.take<float>(images * params.dim_in);
        plan.scale = places.take<float>(images * params.dim_in);
    }
    if (params.attention && !plan.fused)
        plan.qkv = places.take<T>(images * (pixels + 1) * qkv.outputs);
    if (params.attn_pre)
        plan.context = places.take<T>(images * pixels * params.heads() * head_v);
    if (isBlock())
        plan.values = places.take<T>(images * pixels * mid);
    if (params.se_channels > 0) {
        plan.local = places.take<T>(images * out_pixels * mid);
        plan.sums = places.take<float>(images * mid * localSumTiles(static_cast<int>(out_pixels)));
        plan.squeezed = places.take<float>(images * mid);
        plan.hidden = places.take<float>(images * params.se_channels);
        plan.gates = places.take<float>(images * mid);
    }
    plan.bytes = places.bytes();
    return plan;
}

/// As many heads a block as leave a block for each processor: they share the gathered tokens.
template <typename T>
void IrmbKernels<T>::Impl::planAttention(Plan& plan) const {
    WindowGrid& grid = plan.grid;
    grid.height = plan.shape.height;
    grid.width = plan.shape.width;
    const int window_height = params.window_size > 0 ? params.window_size : grid.height;
    const int window_width = params.window_size > 0 ? params.window_size : grid.width;
    grid.rows = divideUp(grid.height, std::min(window_height, grid.height));
    grid.cols = divideUp(grid.width, std::min(window_width, grid.width));
    grid.places = static_cast<long long>(window_height) * window_width;

    const long long inside =
        static_cast<long long>(divideUp(grid.height, grid.rows)) * divideUp(grid.width, grid.cols);
    const long long windows = static_cast<long long>(grid.rows) * grid.cols * plan.shape.images;
    plan.heads_per_block = params.heads();
    const auto halve = [&] { plan.heads_per_block = divideUp(plan.heads_per_block, 2); };
    while (plan.heads_per_block > 1 &&
           windows * divideUp(params.heads(), plan.heads_per_block) < processors)
        halve();
    while (plan.heads_per_block > 1 && windowAttentionShared(attentionArgs(plan)) > shared_bytes)
        halve();
    plan.fused = std::min(grid.places, inside + 1) <= fused_tokens &&
                 windowAttentionShared(attentionArgs(plan)) <= shared_bytes;
}

/// All but the pointers to maps.
template <typename T>
AttentionArgs<T> IrmbKernels<T>::Impl::attentionArgs(const Plan& plan) const {
    AttentionArgs<T> args = {};
    args.grid = plan.grid;
    args.channels = params.dim_in;
    args.heads = params.heads();
    args.head_q = head_q;
    args.head_v = head_v;
    args.heads_per_block = plan.heads_per_block;
    const int head_outputs = 2 * head_q + head_v;
    args.qkv = params.attn_pre ? qkv.view(Activation::None)
                               : qkv.view(params.act, head_outputs, 2 * head_q);
    const bool is_result = !isBlock() && !params.attn_pre;
    args.layout = is_result ? planar(params.dim_mid, plan.pixels)
                            : tokenMajor(params.heads() * head_v, plan.pixels);
    args.head_stride = is_result ? head_value : head_v;
    args.head_channels = is_result ? head_value : head_v;
    return args;
}

/// Calls sink(kernel, what it computes, launch) for every launch of a block, in order, where
/// launch(stream) enqueues it.
template <typename T>
template <typename Sink>
void IrmbKernels<T>::Impl::forEachLaunch(const Plan& plan, const T* x, T* y, void* scratch,
                                         Sink&& sink) const {
    const int images = plan.shape.images;
    const int out_pixels = plan.out_height * plan.out_width;
    const auto at = [&](std::size_t place) { return static_cast<char*>(scratch) + place; };
    const auto floats = [&](std::size_t place) { return reinterpret_cast<float*>(at(place)); };
    const auto map = [&](std::size_t place) { return reinterpret_cast<T*>(at(place)); };

    Normalisation norm = {norm_mean.data(),           norm_scale.data(), norm_shift.data(), 0,
                          params.norm == Norm::Layer, params.norm_eps};
    if (measuresInput()) {
        norm.mean = floats(plan.mean);
        norm.scale = floats(plan.scale);
        norm.image_stride = params.dim_in;
        const int groups = params.norm == Norm::Group ? params.norm_groups : params.dim_in;
        const StatisticsArgs<T> args = {x,
                                        params.dim_in,
                                        plan.pixels,
                                        groups,
                                        params.norm_eps,
                                        norm_scale.data(),
                                        floats(plan.mean),
                                        floats(plan.scale)};
        sink("statistics", "mean and variance of the input",
             [&](cudaStream_t stream) { return launchStatistics(args, images, stream); });
    }
    TokenArgs<T> tokens = {x, planar(params.dim_in, plan.pixels), params.dim_in, plan.pixels, norm};

    if (params.attention) {
        AttentionArgs<T> args = attentionArgs(plan);
        args.in = x;
        args.norm = norm;
        args.out = params.attn_pre ? map(plan.context) : isBlock() ? map(plan.values) : y;
        if (plan.fused) {
            sink("windowAttention", "norm, q, k, v and attention",
                 [&](cudaStream_t stream) { return launchWindowAttention(args, images, stream); });
        } else {
            const int rows = plan.pixels + 1; // with the padding token
            const ProjectionArgs<T> project = {
                args.qkv,      rows,    args.qkv.outputs,
                map(plan.qkv), nullptr, tokenMajor(args.qkv.outputs, rows)};
            sink("projection", "norm, q, k and v", [&](cudaStream_t stream) {
                return launchTokenProjection(project, tokens, images, processors, stream);
            });
            args.in = map(plan.qkv);
            sink("tiledAttention", "attention",
                 [&](cudaStream_t stream) { return launchTiledAttention(args, images, stream); });
        }
        const int width = params.heads() * head_v;
        tokens = {map(plan.context), tokenMajor(width, plan.pixels), width, plan.pixels, {}};
    }
    if (convolvesTokens()) {
        const Linear<T> linear = v.view(params.hasVConv() ? params.act : Activation::None);
        const ProjectionArgs<T> args =
            isBlock()
                ? ProjectionArgs<T>{linear,           plan.pixels, linear.outputs,
                                    map(plan.values), nullptr,     tokenMajor(mid, plan.pixels)}
                : ProjectionArgs<T>{linear, plan.pixels, params.dim_mid,
                                    y,      nullptr,     planar(params.dim_mid, plan.pixels)};
        sink("projection", params.attention ? "v" : "norm and v", [&](cudaStream_t stream) {
            return launchTokenProjection(args, tokens, images, processors, stream);
        });
    }
    if (!isBlock())
        return;

    const DepthwiseArgs<T> depthwise = {
        map(plan.values),  local_weights.data(), local_bias.data(),  mid,
        plan.shape.height, plan.shape.width,     plan.out_height,    plan.out_width,
        params.dw_ks,      params.stride,        params.dwPadding(), params.dilation};
    const ProjectionArgs<T> project = {proj.view(Activation::None),
                                       out_pixels,
                                       params.dim_out,
                                       y,
                                       params.has_skip ? x : nullptr,
                                       planar(params.dim_out, out_pixels)};
    if (params.se_channels == 0) {
        const LocalArgs<T> local = {depthwise, params.has_skip};
        sink("projection", "depthwise, residuals and projection", [&](cudaStream_t stream) {
            return launchLocalProjection(project, local, images, processors, stream);
        });
        return;
    }
    const int tiles = localSumTiles(out_pixels);
    const LocalSumArgs<T> sum = {depthwise, map(plan.local), floats(plan.sums), tiles};
    sink("localSum", "depthwise and sums of its result",
         [&](cudaStream_t stream) { return launchLocalSum(sum, images, stream); });
    const GateArgs gate = {floats(plan.sums),
                           tiles,
                           out_pixels,
                           mid,
                           params.se_channels,
                           se_reduce_weights.data(),
                           se_reduce_bias.data(),
                           se_slope.data(),
                           se_expand_weights.data(),
                           se_expand_bias.data(),
                           params.act,
                           floats(plan.squeezed),
                           floats(plan.hidden),
                           floats(plan.gates)};
    sink("gates", "squeeze and excitation",
         [&](cudaStream_t stream) { return launchGates(gate, images, stream); });
    const GatedArgs<T> gated = {map(plan.local), params.has_skip ? map(plan.values) : nullptr,
                                floats(plan.gates), mid, out_pixels};
    sink("projection", "gates, residuals and projection", [&](cudaStream_t stream) {
        return launchGatedProjection(project, gated, images, processors, stream);
    });
}

template <typename T>
IrmbKernels<T>::IrmbKernels(const IrmbParams& params, const HostWeights& weights,
                            const std::string& layer)
    : impl_(std::make_unique<Impl>(params, prepare(params, weights), layer)) {}

template <typename T>
IrmbKernels<T>::~IrmbKernels() = default;

template <typename T>
std::size_t IrmbKernels<T>::scratchBytes(const MapShape& shape) const {
    return impl_->plan(shape).bytes;
}

template <typename T>
std::vector<std::string> IrmbKernels<T>::launches(const MapShape& shape) const {
    std::vector<std::string> names;
    impl_->forEachLaunch(impl_->plan(shape), nullptr, nullptr, nullptr,
                         [&](const std::string& kernel, const std::string& purpose,
                             const auto& /*launch*/) { names.push_back(kernel + ": " + purpose); });
    return names;
}

template <typename T>
void IrmbKernels<T>::launch(cudaStream_t stream, const T* x, T* y, void* scratch,
                            const MapShape& shape) const {
    impl_->forEachLaunch(
        impl_->plan(shape), x, y, scratch,
        [&](const char* kernel, const char* purpose, const auto& launch) {
            require(launch(stream), impl_->layer, {"CUDA kernel ", kernel, " (", purpose, ")"});
        });
}

template class IrmbKernels<float>;
template class IrmbKernels<__half>;

} // namespace irmb::cuda
