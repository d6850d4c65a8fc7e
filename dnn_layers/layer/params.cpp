#include "layer/node_attributes.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <opencv2/core.hpp>

#include <algorithm>
#include <cmath>

namespace irmb {
namespace {

/// Largest channel count, kernel side or window side: keeps every product far inside 64 bits.
constexpr int max_size = 1 << 16;

/// Throws with one line that names the layer.
class Checker {
public:
    explicit Checker(const std::string& layer) : layer_(layer) {}

    void require(bool ok, const std::string& message) const {
        if (!ok)
            CV_Error(cv::Error::StsBadArg, "iRMB '" + layer_ + "': " + message);
    }

    void range(const char* name, int value, int low, int high = max_size) const {
        require(low <= value && value <= high, text(name, value) + " must be between " +
                                                   std::to_string(low) + " and " +
                                                   std::to_string(high));
    }

    /// "name=value"
    static std::string text(const char* name, int value) {
        return std::string(name) + "=" + std::to_string(value);
    }

private:
    const std::string& layer_;
};

void checkNorm(const IrmbParams& p, const Checker& check) {
    if (p.norm == Norm::None || p.norm == Norm::Batch)
        return;
    check.require(std::isfinite(p.norm_eps) && p.norm_eps >= 0.f,
                  "norm_eps=" + std::to_string(p.norm_eps) + " must be finite and not negative");
    if (p.norm != Norm::Group)
        return;
    check.range("norm_groups", p.norm_groups, 1);
    check.require(p.dim_in % p.norm_groups == 0, Checker::text("norm_groups", p.norm_groups) +
                                                     " must divide the " +
                                                     std::to_string(p.dim_in) + " input channels");
}

void checkAttention(const IrmbParams& p, const Checker& check) {
    if (!p.attention) {
        check.require(p.part == Part::Block, "part='attention' contradicts attn_s=0");
        check.require(p.v_proj || p.dim_mid == p.dim_in,
                      Checker::text("dim_mid", p.dim_mid) + " must equal the " +
                          std::to_string(p.dim_in) +
                          " input channels when both attn_s and v_proj are 0");
        return;
    }
    check.range("dim_head", p.dim_head, 1);
    check.range("window_size", p.window_size, INT32_MIN);
    check.require(p.dim_in % p.dim_head == 0, Checker::text("dim_head", p.dim_head) +
                                                  " must divide the " + std::to_string(p.dim_in) +
                                                  " input channels");
    check.require(p.dim_mid % p.heads() == 0,
                  Checker::text("dim_mid", p.dim_mid) + " must be a multiple of the " +
                      std::to_string(p.heads()) +
                      " heads that dim_head=" + std::to_string(p.dim_head) + " makes");
}

void checkLocal(const IrmbParams& p, const Checker& check) {
    check.range("dw_ks", p.dw_ks, 1);
    check.range("stride", p.stride, 1);
    check.range("dilation", p.dilation, 1);
    check.range("se_channels", p.se_channels, 0);
    if (!p.has_skip)
        return;
    check.require(p.dim_out == p.dim_in, "has_skip=1 contradicts " +
                                             Checker::text("dim_out", p.dim_out) + " for " +
                                             std::to_string(p.dim_in) + " input channels");
    check.require(p.stride == 1, "has_skip=1 contradicts " + Checker::text("stride", p.stride));
    check.require(p.dilation * static_cast<int64_t>(p.dw_ks - 1) == 2 * p.dwPadding(),
                  "has_skip=1 contradicts " + Checker::text("dw_ks", p.dw_ks) + " with " +
                      Checker::text("dilation", p.dilation) + ", which change the map's size");
}

/// Dimensions without those of one element: they say nothing about the layout in memory.
std::vector<int> squeezed(const std::vector<int>& shape) {
    std::vector<int> result;
    std::copy_if(shape.begin(), shape.end(), std::back_inserter(result),
                 [](int size) { return size != 1; });
    return result;
}

std::vector<int> shapeOf(const cv::Mat& mat) {
    return mat.dims > 0 ? std::vector<int>(mat.size.p, mat.size.p + mat.dims) : std::vector<int>();
}

std::string toText(const std::vector<int>& shape) {
    std::string text;
    for (const int size : shape)
        text += (text.empty() ? "" : "x") + std::to_string(size);
    return "[" + text + "]";
}

void checkWeight(const WeightSlot& slot, const cv::Mat& weight, const Checker& check) {
    const std::string name = slot.name;
    check.require(!weight.empty(), name + " is missing, expected " + toText(slot.shape));
    check.require(weight.type() == CV_32F, name + " must be float32 with one channel");
    check.require(weight.isContinuous(), name + " must be continuous in memory");
    const std::vector<int> shape = shapeOf(weight);
    const bool fits =
        squeezed(shape) == squeezed(slot.shape) || (slot.single && weight.total() == 1);
    check.require(fits,
                  name + " has the shape " + toText(shape) + ", expected " + toText(slot.shape));
}

/// Output positions of the depthwise convolution along one axis.
int64_t convolvedSize(const IrmbParams& p, int size) {
    const int64_t extent = p.dilation * static_cast<int64_t>(p.dw_ks - 1) + 1;
    const int64_t room = size + 2 * static_cast<int64_t>(p.dwPadding()) - extent;
    return room < 0 ? 0 : room / p.stride + 1;
}

} // namespace

void checkParams(const IrmbParams& params, const std::string& layer) {
    const Checker check(layer);
    check.range("dim_in", params.dim_in, 1);
    check.range("dim_mid", params.dim_mid, 1);
    check.range("dim_out", params.dim_out, 1);
    checkNorm(params, check);
    checkAttention(params, check);
    if (params.part == Part::Block)
        checkLocal(params, check);
    else
        check.require(params.dim_out == params.dim_mid,
                      Checker::text("dim_out", params.dim_out) + " must equal " +
                          Checker::text("dim_mid", params.dim_mid) + " with part='attention'");
}

void checkWeights(const IrmbParams& params, const IrmbWeights& weights, const std::string& layer) {
    const Checker check(layer);
    const std::vector<WeightSlot> wanted = weightSlots(params);
    for (const WeightSlot& slot : wanted)
        checkWeight(slot, weights.*slot.member, check);
    for (const WeightSlot& slot : allWeightSlots()) {
        const bool called_for = std::any_of(wanted.begin(), wanted.end(), [&](const WeightSlot& w) {
            return w.member == slot.member;
        });
        check.require(called_for || (weights.*slot.member).empty(),
                      std::string(slot.name) + " is superfluous: no parameter calls for it");
    }
}

cv::Size outputSize(const IrmbParams& params, int height, int width) {
    const auto map = toText({height, width});
    if (height < 1 || width < 1)
        CV_Error(cv::Error::StsBadArg, "iRMB: a map of " + map + " is empty");
    if (params.part == Part::Attention)
        return {width, height};
    const int64_t rows = convolvedSize(params, height);
    const int64_t cols = convolvedSize(params, width);
    if (rows < 1 || cols < 1 || rows > INT32_MAX || cols > INT32_MAX)
        CV_Error(cv::Error::StsBadArg,
                 cv::format("iRMB: dw_ks=%d with dilation=%d does not fit a map of ", params.dw_ks,
                            params.dilation) +
                     map);
    return {static_cast<int>(cols), static_cast<int>(rows)};
}

} // namespace irmb
