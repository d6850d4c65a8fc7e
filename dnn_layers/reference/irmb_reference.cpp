#include "reference/irmb_reference.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace irmb {
namespace {

/// One image's map [channels, height, width].
struct Map {
    Map(int c, int h, int w)
        : channels(c), height(h), width(w), data(static_cast<std::size_t>(c) * h * w) {}

    double& at(int c, int y, int x) {
        return data[(static_cast<std::size_t>(c) * height + y) * width + x];
    }
    double at(int c, int y, int x) const { return const_cast<Map*>(this)->at(c, y, x); }

    /// Zero outside: what a zero-padded map holds there.
    double padded(int c, int y, int x) const {
        const bool inside = 0 <= y && y < height && 0 <= x && x < width;
        return inside ? at(c, y, x) : 0.;
    }

    int channels;
    int height;
    int width;
    std::vector<double> data;
};

double weight(const cv::Mat& mat, std::size_t index) {
    return mat.ptr<float>()[index];
}

/// Biases are optional.
double bias(const cv::Mat& mat, std::size_t index) {
    return mat.empty() ? 0. : weight(mat, index);
}

double slope(const cv::Mat& slopes, int channel) {
    if (slopes.empty())
        return 0.;
    return weight(slopes, slopes.total() == 1 ? 0 : channel);
}

double sigmoid(double x) {
    return 1. / (1. + std::exp(-x));
}
double relu6(double x) {
    return std::clamp(x, 0., 6.);
}

double activate(Activation act, double x, double prelu_slope) {
    switch (act) {
    case Activation::None:
        return x;
    case Activation::Relu:
        return std::max(x, 0.);
    case Activation::Relu6:
        return relu6(x);
    case Activation::Silu:
        return x * sigmoid(x);
    case Activation::Gelu:
        return 0.5 * x * (1. + std::erf(x / std::sqrt(2.)));
    case Activation::HardSwish:
        return x * relu6(x + 3.) / 6.;
    case Activation::HardSigmoid:
        return relu6(x + 3.) / 6.;
    case Activation::Sigmoid:
        return sigmoid(x);
    case Activation::Tanh:
        return std::tanh(x);
    case Activation::Mish:
        return x * std::tanh(std::max(x, 0.) + std::log1p(std::exp(-std::abs(x))));
    case Activation::Prelu:
        return x >= 0. ? x : prelu_slope * x;
    }
    return x;
}

/// Channels [c0, c1) of the rows [y0, y1) and columns [x0, x1).
struct Box {
    int c0, c1, y0, y1, x0, x1;
};

/// (x - mean) / sqrt(var + eps) over one box.
void standardise(Map& map, const Box& box, double eps) {
    double sum = 0.;
    double count = 0.;
    const auto forEach = [&](auto&& visit) {
        for (int c = box.c0; c < box.c1; ++c)
            for (int y = box.y0; y < box.y1; ++y)
                for (int x = box.x0; x < box.x1; ++x)
                    visit(map.at(c, y, x));
    };
    forEach([&](double value) {
        sum += value;
        count += 1.;
    });
    const double mean = sum / count;
    double squares = 0.;
    forEach([&](double value) { squares += (value - mean) * (value - mean); });
    const double scale = 1. / std::sqrt(squares / count + eps);
    forEach([&](double& value) { value = (value - mean) * scale; });
}

/// Step 1.
Map normalise(const IrmbParams& p, const IrmbWeights& w, Map map) {
    const int height = map.height;
    const int width = map.width;
    if (p.norm == Norm::Layer)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                standardise(map, {0, p.dim_in, y, y + 1, x, x + 1}, p.norm_eps);
    if (p.norm == Norm::Instance)
        for (int c = 0; c < p.dim_in; ++c)
            standardise(map, {c, c + 1, 0, height, 0, width}, p.norm_eps);
    if (p.norm == Norm::Group) {
        const int size = p.dim_in / p.norm_groups;
        for (int c = 0; c < p.dim_in; c += size)
            standardise(map, {c, c + size, 0, height, 0, width}, p.norm_eps);
    }
    if (p.norm != Norm::None)
        for (int c = 0; c < p.dim_in; ++c)
            for (int y = 0; y < height; ++y)
                for (int x = 0; x < width; ++x)
                    map.at(c, y, x) =
                        map.at(c, y, x) * weight(w.norm_scale, c) + weight(w.norm_shift, c);
    return map;
}

/// 1x1 convolution with groups.
Map convolve1x1(const Map& in, const cv::Mat& weights, const cv::Mat& biases, int outputs,
                int groups) {
    Map out(outputs, in.height, in.width);
    const int group_in = in.channels / groups;
    const int group_out = outputs / groups;
    for (int o = 0; o < outputs; ++o)
        for (int y = 0; y < in.height; ++y)
            for (int x = 0; x < in.width; ++x) {
                double sum = bias(biases, o);
                for (int i = 0; i < group_in; ++i)
                    sum += weight(weights, static_cast<std::size_t>(o) * group_in + i) *
                           in.at(o / group_out * group_in + i, y, x);
                out.at(o, y, x) = sum;
            }
    return out;
}

void activate(Map& map, Activation act, const cv::Mat& slopes) {
    for (int c = 0; c < map.channels; ++c)
        for (int y = 0; y < map.height; ++y)
            for (int x = 0; x < map.width; ++x)
                map.at(c, y, x) = activate(act, map.at(c, y, x), slope(slopes, c));
}

Map convolveV(const IrmbParams& p, const IrmbWeights& w, const Map& in) {
    Map v = convolve1x1(in, w.v_weight, w.v_bias, p.dim_mid, p.vGroups());
    activate(v, p.act, w.v_slope);
    return v;
}

/// `map` extended with zeros at the right and the bottom.
Map pad(const Map& map, int height, int width) {
    Map out(map.channels, height, width);
    for (int c = 0; c < map.channels; ++c)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                out.at(c, y, x) = map.padded(c, y, x);
    return out;
}

Map crop(const Map& map, int height, int width) {
    Map out(map.channels, height, width);
    for (int c = 0; c < map.channels; ++c)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                out.at(c, y, x) = map.at(c, y, x);
    return out;
}

/// Positions in the padded map of the tokens of the window (row, col) out of rows x cols windows.
std::vector<cv::Point> windowTokens(int height, int width, int rows, int cols, int row, int col) {
    std::vector<cv::Point> tokens;
    for (int y = row; y < height; y += rows)
        for (int x = col; x < width; x += cols)
            tokens.emplace_back(x, y);
    return tokens;
}

/// out = softmax(q k^T / sqrt(dim_head)) values, for one window and one head. `qk` has 2C channels.
void attend(const IrmbParams& p, const Map& qk, const Map& values, int head,
            const std::vector<cv::Point>& tokens, Map& out) {
    const int head_size = values.channels / p.heads();
    const double scale = 1. / std::sqrt(static_cast<double>(p.dim_head));
    std::vector<double> row(tokens.size());
    for (const cv::Point& to : tokens) {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            row[i] = 0.;
            for (int d = head * p.dim_head; d < (head + 1) * p.dim_head; ++d)
                row[i] += qk.at(d, to.y, to.x) * qk.at(p.dim_in + d, tokens[i].y, tokens[i].x);
            row[i] *= scale;
        }
        const double highest = *std::max_element(row.begin(), row.end());
        double total = 0.;
        for (double& logit : row) {
            logit = std::exp(logit - highest);
            total += logit;
        }
        for (int d = head * head_size; d < (head + 1) * head_size; ++d) {
            double sum = 0.;
            for (std::size_t i = 0; i < tokens.size(); ++i)
                sum += row[i] * values.at(d, tokens[i].y, tokens[i].x);
            out.at(d, to.y, to.x) = sum / total;
        }
    }
}

/// Attention of every window and head; all maps have the padded size.
Map attendWindows(const IrmbParams& p, const Map& qk, const Map& values, int rows, int cols) {
    Map out(values.channels, values.height, values.width);
    for (int row = 0; row < rows; ++row)
        for (int col = 0; col < cols; ++col) {
            const auto tokens = windowTokens(out.height, out.width, rows, cols, row, col);
            for (int head = 0; head < p.heads(); ++head)
                attend(p, qk, values, head, tokens, out);
        }
    return out;
}

/// Step 2.
Map windowAttention(const IrmbParams& p, const IrmbWeights& w, const Map& x) {
    const int window_h = p.window_size > 0 ? p.window_size : x.height;
    const int window_w = p.window_size > 0 ? p.window_size : x.width;
    const int rows = (x.height + window_h - 1) / window_h;
    const int cols = (x.width + window_w - 1) / window_w;

    const Map padded = pad(x, rows * window_h, cols * window_w);
    const Map qk = convolve1x1(padded, w.qk_weight, w.qk_bias, 2 * p.dim_in, 1);
    const Map y = p.attn_pre ? convolveV(p, w, attendWindows(p, qk, padded, rows, cols))
                             : attendWindows(p, qk, convolveV(p, w, padded), rows, cols);
    return crop(y, x.height, x.width);
}

/// silu(dwconv(y)).
Map convolveLocal(const IrmbParams& p, const IrmbWeights& w, const Map& in) {
    const cv::Size size = outputSize(p, in.height, in.width);
    Map out(in.channels, size.height, size.width);
    for (int c = 0; c < out.channels; ++c)
        for (int y = 0; y < out.height; ++y)
            for (int x = 0; x < out.width; ++x) {
                double sum = weight(w.local_bias, c);
                for (int i = 0; i < p.dw_ks; ++i)
                    for (int j = 0; j < p.dw_ks; ++j) {
                        const auto tap = (static_cast<std::size_t>(c) * p.dw_ks + i) * p.dw_ks + j;
                        sum += weight(w.local_weight, tap) *
                               in.padded(c, y * p.stride - p.dwPadding() + i * p.dilation,
                                         x * p.stride - p.dwPadding() + j * p.dilation);
                    }
                out.at(c, y, x) = activate(Activation::Silu, sum, 0.);
            }
    return out;
}

/// map * sigmoid(expand(act(reduce(mean(map))))).
void squeezeExcite(const IrmbParams& p, const IrmbWeights& w, Map& map) {
    Map mean(map.channels, 1, 1);
    for (int c = 0; c < map.channels; ++c) {
        for (int y = 0; y < map.height; ++y)
            for (int x = 0; x < map.width; ++x)
                mean.at(c, 0, 0) += map.at(c, y, x);
        mean.at(c, 0, 0) /= static_cast<double>(map.height) * map.width;
    }
    Map reduced = convolve1x1(mean, w.se_reduce_weight, w.se_reduce_bias, p.se_channels, 1);
    activate(reduced, p.act, w.se_slope);
    const Map gate = convolve1x1(reduced, w.se_expand_weight, w.se_expand_bias, map.channels, 1);
    for (int c = 0; c < map.channels; ++c)
        for (int y = 0; y < map.height; ++y)
            for (int x = 0; x < map.width; ++x)
                map.at(c, y, x) *= sigmoid(gate.at(c, 0, 0));
}

void add(const Map& other, Map& map) {
    for (std::size_t i = 0; i < map.data.size(); ++i)
        map.data[i] += other.data[i];
}

Map forwardImage(const IrmbParams& p, const IrmbWeights& w, const Map& x) {
    Map y = normalise(p, w, x);
    if (p.attention)
        y = windowAttention(p, w, y);
    else if (p.v_proj)
        y = convolveV(p, w, y);
    if (p.part == Part::Attention)
        return y;

    Map local = convolveLocal(p, w, y);
    if (p.se_channels > 0)
        squeezeExcite(p, w, local);
    if (p.has_skip)
        add(y, local);
    Map out = convolve1x1(local, w.proj_weight, w.proj_bias, p.dim_out, 1);
    if (p.has_skip)
        add(x, out);
    return out;
}

} // namespace

cv::Mat irmbReference(const IrmbParams& params, const IrmbWeights& weights, const cv::Mat& x) {
    checkParams(params, "reference");
    checkWeights(params, weights, "reference");
    CV_Assert(x.dims == 4 && x.type() == CV_32F && x.isContinuous() && x.size[1] == params.dim_in);

    const int height = x.size[2];
    const int width = x.size[3];
    const cv::Size size = outputSize(params, height, width);
    cv::Mat y({x.size[0], params.dim_out, size.height, size.width}, CV_32F);
    for (int b = 0; b < x.size[0]; ++b) {
        Map in(params.dim_in, height, width);
        std::copy_n(x.ptr<float>(b), in.data.size(), in.data.begin());
        const Map out = forwardImage(params, weights, in);
        std::copy(out.data.begin(), out.data.end(), y.ptr<float>(b));
    }
    return y;
}

} // namespace irmb
