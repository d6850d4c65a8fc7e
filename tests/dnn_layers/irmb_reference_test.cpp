#include "reference/irmb_reference.hpp"

#include <gtest/gtest.h>

#include <cmath>

/// The oracle against results worked out by hand.
namespace irmb {
namespace {

cv::Mat tensor(const std::vector<int>& shape, const std::vector<float>& values) {
    cv::Mat mat(shape, CV_32F);
    CV_Assert(mat.total() == values.size());
    std::copy(values.begin(), values.end(), mat.ptr<float>());
    return mat;
}

void expectValues(const cv::Mat& y, const std::vector<double>& expected) {
    ASSERT_EQ(y.total(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(y.ptr<float>()[i], expected[i], 1e-6) << "element " << i;
}

double silu(double x) {
    return x / (1 + std::exp(-x));
}

/// One channel, one head: without norm, v = x, and all logits 0, so that tokens are averaged.
struct Averaging {
    Averaging() {
        params.dim_in = params.dim_mid = params.dim_out = 1;
        params.dim_head = 1;
        params.part = Part::Attention;
        params.norm = Norm::None;
        params.act = Activation::None;
        params.window_size = 2;
        weights.qk_weight = tensor({2, 1}, {0, 0});
        weights.v_weight = tensor({1, 1}, {1});
    }
    IrmbParams params;
    IrmbWeights weights;
};

TEST(IrmbReference, WindowsAreStrided) {
    const Averaging block;
    const cv::Mat x = tensor({1, 1, 4, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
    expectValues(irmbReference(block.params, block.weights, x),
                 {5, 6, 5, 6, 9, 10, 9, 10, 5, 6, 5, 6, 9, 10, 9, 10});
}

TEST(IrmbReference, PaddedTokensTakePart) {
    const Averaging block;
    const cv::Mat x = tensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    // Windows (row mod 2, column mod 2): {1 3 7 9}, {2 8 0 0}, {4 6 0 0}, {5 0 0 0}.
    expectValues(irmbReference(block.params, block.weights, x),
                 {5, 2.5, 5, 2.5, 1.25, 2.5, 5, 2.5, 5});
}

TEST(IrmbReference, PaddedTokensHaveTheBiases) {
    Averaging block;
    block.params.v_bias = block.params.qk_bias = true;
    block.params.act = Activation::Relu;
    block.weights.v_bias = tensor({1}, {2});
    // q = 1 everywhere; k = ln 3 for every token, so weights stay equal.
    block.weights.qk_bias = tensor({2}, {1, std::log(3.f)});
    const cv::Mat x = tensor({1, 1, 1, 1}, {-5});
    // The pixel's v is relu(-5 + 2) = 0, that of the three padded tokens relu(2) = 2.
    expectValues(irmbReference(block.params, block.weights, x), {1.5});
}

TEST(IrmbReference, ShiftOfTheNormDoesNotReachPaddedTokens) {
    Averaging block;
    block.params.norm = Norm::Batch;
    block.weights.norm_scale = tensor({1}, {3});
    block.weights.norm_shift = tensor({1}, {10});
    const cv::Mat x = tensor({1, 1, 1, 1}, {2});
    expectValues(irmbReference(block.params, block.weights, x), {16.0 / 4});
}

TEST(IrmbReference, SoftmaxOfScaledProducts) {
    Averaging block;
    block.params.dim_in = block.params.dim_mid = block.params.dim_out = 4;
    block.params.dim_head = 4;
    block.params.window_size = 0;
    // q and k read channel 0 in their first component alone; v copies.
    block.weights.qk_weight = cv::Mat::zeros(8, 4, CV_32F);
    block.weights.qk_weight.at<float>(0, 0) = 1;
    block.weights.qk_weight.at<float>(4, 0) = 1;
    block.weights.v_weight = cv::Mat::eye(4, 4, CV_32F);
    const cv::Mat x = tensor({1, 4, 1, 2}, {1, 2, 10, 20, 30, 40, 50, 60});
    // Logits q k / sqrt(4): first query 0.5 and 1, second query 1 and 2.
    const double first = 1 / (1 + std::exp(0.5));
    const double second = 1 / (1 + std::exp(1.0));
    std::vector<double> expected;
    for (const auto& [a, b] : {std::pair{1., 2.}, {10., 20.}, {30., 40.}, {50., 60.}}) {
        expected.push_back(first * a + (1 - first) * b);
        expected.push_back(second * a + (1 - second) * b);
    }
    const cv::Mat y = irmbReference(block.params, block.weights, x);
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(y.ptr<float>()[i], expected[i], 1e-5);
}

TEST(IrmbReference, HeadsComeFirstInQkAndV) {
    Averaging block;
    block.params.dim_in = 2;
    block.params.dim_mid = block.params.dim_out = 4;
    block.params.window_size = -1;
    // Head 0 averages, head 1 has q = k = channel 1. v of head 0 is (x0, x1), of head 1 too.
    block.weights.qk_weight = tensor({4, 2}, {0, 0, 0, 1, 0, 0, 0, 1});
    block.weights.v_weight = tensor({4, 2}, {1, 0, 0, 1, 1, 0, 0, 1});
    const cv::Mat x = tensor({1, 2, 1, 2}, {1, 2, 0, 1});
    // Head 1, first query: q = 0, equal weights; second: logits 0 and 1.
    const double w = 1 / (1 + std::exp(1.0));
    expectValues(irmbReference(block.params, block.weights, x),
                 {1.5, 1.5, 0.5, 0.5, 1.5, w * 1 + (1 - w) * 2, 0.5, (1 - w) * 1});
}

TEST(IrmbReference, AttentionBeforeV) {
    Averaging block;
    block.params.attn_pre = true;
    block.params.v_bias = true;
    block.params.window_size = 0;
    block.params.act = Activation::Relu;
    block.weights.v_weight = tensor({1, 1}, {-1});
    block.weights.v_bias = tensor({1}, {3});
    const cv::Mat x = tensor({1, 1, 1, 2}, {-2, 6});
    // relu(-mean + 3) = 1; attention after v would give mean(relu(5), relu(-3)) = 2.5.
    expectValues(irmbReference(block.params, block.weights, x), {1, 1});
}

TEST(IrmbReference, GroupedV) {
    Averaging block;
    block.params.dim_in = block.params.dim_mid = block.params.dim_out = 2;
    block.params.v_group = true;
    block.weights.qk_weight = cv::Mat::zeros(4, 2, CV_32F);
    block.weights.v_weight = tensor({2, 1}, {2, 3});
    block.params.window_size = 1;
    const cv::Mat x = tensor({1, 2, 1, 1}, {5, 7});
    expectValues(irmbReference(block.params, block.weights, x), {10, 21});
}

/// One channel without attention and v: only the local branch and the projection.
struct Local {
    Local() {
        params.dim_in = params.dim_mid = params.dim_out = 1;
        params.norm = Norm::None;
        params.attention = params.v_proj = false;
        weights.local_weight = tensor({1, 3, 3}, {0, 0, 0, 0, 2, 0, 0, 0, 0});
        weights.local_bias = tensor({1}, {1});
        weights.proj_weight = tensor({1, 1}, {3});
    }
    IrmbParams params;
    IrmbWeights weights;
};

TEST(IrmbReference, LocalBranchProjectionAndResiduals) {
    Local block;
    const cv::Mat x = tensor({1, 1, 1, 1}, {0.5});
    expectValues(irmbReference(block.params, block.weights, x), {0.5 + 3 * (0.5 + silu(2))});
    block.params.has_skip = false;
    expectValues(irmbReference(block.params, block.weights, x), {3 * silu(2)});
    block.params.proj_bias = true;
    block.weights.proj_bias = tensor({1}, {-4});
    expectValues(irmbReference(block.params, block.weights, x), {3 * silu(2) - 4});
}

TEST(IrmbReference, StrideAndPadding) {
    Local block;
    block.params.has_skip = false;
    block.params.stride = 2;
    block.weights.local_weight = tensor({1, 3, 3}, {1, 1, 1, 1, 1, 1, 1, 1, 1});
    block.weights.local_bias = tensor({1}, {0});
    block.weights.proj_weight = tensor({1, 1}, {1});
    const cv::Mat x = tensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    expectValues(irmbReference(block.params, block.weights, x),
                 {silu(12), silu(16), silu(24), silu(28)});
}

TEST(IrmbReference, DilationDoesNotWidenThePadding) {
    Local block;
    block.params.has_skip = false;
    block.params.dilation = 2;
    block.weights.local_weight = tensor({1, 3, 3}, {1, 0, 0, 0, 0, 0, 0, 0, 1});
    block.weights.local_bias = tensor({1}, {0});
    block.weights.proj_weight = tensor({1, 1}, {1});
    const cv::Mat x = tensor({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    // One output a dimension; its taps are at -1, 1 and 3 of a map padded by 1: corners outside.
    const cv::Mat y = irmbReference(block.params, block.weights, x);
    ASSERT_EQ(y.size[2], 1);
    ASSERT_EQ(y.size[3], 1);
    expectValues(y, {silu(0)});
}

TEST(IrmbReference, SqueezeAndExcitation) {
    Local block;
    block.params.has_skip = false;
    block.params.se_channels = 1;
    block.weights.se_reduce_weight = tensor({1, 1}, {2});
    block.weights.se_reduce_bias = tensor({1}, {-1});
    block.weights.se_expand_weight = tensor({1, 1}, {0.5});
    block.weights.se_expand_bias = tensor({1}, {0.25});
    const cv::Mat x = tensor({1, 1, 1, 2}, {1, 2});
    const double mean = (silu(3) + silu(5)) / 2;
    const double gate = 1 / (1 + std::exp(-(0.5 * std::max(0.0, 2 * mean - 1) + 0.25)));
    expectValues(irmbReference(block.params, block.weights, x),
                 {3 * silu(3) * gate, 3 * silu(5) * gate});
}

TEST(IrmbReference, Norms) {
    Averaging block;
    block.params.dim_in = block.params.dim_mid = block.params.dim_out = 2;
    block.params.window_size = 1; // nothing to average with
    block.params.norm_eps = 0.f;
    block.weights.qk_weight = cv::Mat::zeros(4, 2, CV_32F);
    block.weights.v_weight = cv::Mat::eye(2, 2, CV_32F);
    block.weights.norm_scale = tensor({2}, {1, 10});
    block.weights.norm_shift = tensor({2}, {0, 1});
    const cv::Mat x = tensor({1, 2, 1, 2}, {1, 3, 5, 11});

    block.params.norm = Norm::Batch;
    expectValues(irmbReference(block.params, block.weights, x), {1, 3, 51, 111});
    block.params.norm = Norm::Layer;
    expectValues(irmbReference(block.params, block.weights, x), {-1, -1, 11, 11});
    block.params.norm = Norm::Instance;
    expectValues(irmbReference(block.params, block.weights, x), {-1, 1, -9, 11});
    block.params.norm = Norm::Group;
    block.params.norm_groups = 1;
    const double deviation = std::sqrt((16 + 4 + 0 + 36) / 4.0); // around the mean 5
    expectValues(irmbReference(block.params, block.weights, x),
                 {-4 / deviation, -2 / deviation, 1, 1 + 60 / deviation});
}

TEST(IrmbReference, Activations) {
    // Values of torch.nn.functional at 1, -2 and 7.
    const struct {
        Activation act;
        double at1, at_minus2, at7;
    } table[] = {{Activation::None, 1, -2, 7},
                 {Activation::Relu, 1, 0, 7},
                 {Activation::Relu6, 1, 0, 6},
                 {Activation::Silu, 0.7310585786, -0.2384058440, 6.9936226416},
                 {Activation::Gelu, 0.8413447461, -0.0455002639, 7},
                 {Activation::HardSwish, 0.6666666667, -0.3333333333, 7},
                 {Activation::HardSigmoid, 0.6666666667, 0.1666666667, 1},
                 {Activation::Sigmoid, 0.7310585786, 0.1192029220, 0.9990889488},
                 {Activation::Tanh, 0.7615941560, -0.9640275801, 0.9999983369},
                 {Activation::Mish, 0.8650983883, -0.2525014827, 6.9999883798},
                 {Activation::Prelu, 1, -0.5, 7}};
    for (const auto& row : table) {
        Averaging block;
        block.params.window_size = 1;
        block.params.act = row.act;
        if (row.act == Activation::Prelu)
            block.weights.v_slope = tensor({1}, {0.25});
        const cv::Mat x = tensor({1, 1, 1, 3}, {1, -2, 7});
        expectValues(irmbReference(block.params, block.weights, x),
                     {row.at1, row.at_minus2, row.at7});
    }
}

} // namespace
} // namespace irmb
