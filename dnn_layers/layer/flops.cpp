#include "layer/flops.hpp"

#include <opencv2/core/types.hpp>

namespace irmb {
namespace {

/// Tokens of all windows of one image, and of one window.
struct Tokens {
    int64_t total;
    int64_t window;
};

Tokens tokens(const IrmbParams& p, int64_t height, int64_t width) {
    if (p.window_size <= 0)
        return {height * width, height * width};
    const int64_t w = p.window_size;
    return {(height + w - 1) / w * w * ((width + w - 1) / w * w), w * w};
}

} // namespace

int64_t flops(const IrmbParams& p, int height, int width) {
    const int64_t c = p.dim_in;
    const int64_t m = p.dim_mid;
    const int64_t pixels = static_cast<int64_t>(height) * width;
    int64_t products = 0;
    if (p.hasVConv())
        products += pixels * m * (c / p.vGroups());
    if (p.attention) {
        const Tokens n = tokens(p, height, width);
        const int64_t values = p.attn_pre ? c : m;
        products += pixels * 2 * c * c + n.total * n.window * (c + values);
    }
    if (p.part == Part::Block) {
        const cv::Size size = outputSize(p, height, width);
        const int64_t out_pixels = static_cast<int64_t>(size.width) * size.height;
        products += out_pixels * m * (static_cast<int64_t>(p.dw_ks) * p.dw_ks + p.dim_out);
        products += int64_t{2} * m * p.se_channels;
    }
    return 2 * products;
}

} // namespace irmb
