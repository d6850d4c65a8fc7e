#include "layer/attention_layer.hpp"
#include "reference/attention_reference.hpp"
#include "support/expect_words.hpp"
#include "support/random_irmb.hpp"

#include <irmb_dnn/layers.hpp>

#include <gtest/gtest.h>

/// The layer of global attention on the CPU.
namespace irmb::test {
namespace {

cv::dnn::LayerParams paramsOf(int heads, int dim_key, int dim_value, float scale, bool values) {
    cv::dnn::LayerParams params;
    params.set("heads", heads);
    params.set("dim_key", dim_key);
    params.set("dim_value", dim_value);
    params.set("scale", scale);
    params.set("with_values", static_cast<int>(values));
    return params;
}

std::vector<cv::Mat> forward(cv::dnn::LayerParams params, const cv::Mat& x) {
    registerLayers();
    cv::dnn::Net net;
    net.setInputsNames({"x"});
    net.addLayerToPrev("psa", "irmb.GlobalAttention", params);
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setInput(x);
    std::vector<cv::Mat> results;
    net.forward(results, "psa");
    return results;
}

TEST(AttentionLayer, AgreesWithReference) {
    cv::RNG rng(9);
    for (const auto& [heads, dim_key, dim_value] :
         {std::tuple(1, 1, 1), std::tuple(2, 8, 16), std::tuple(3, 5, 7)})
        for (const auto& [height, width] : {std::pair(1, 1), std::pair(5, 7), std::pair(8, 8)}) {
            const cv::Mat x =
                randomMap({2, heads * (2 * dim_key + dim_value), height, width}, rng) * 2;
            const auto results = forward(paramsOf(heads, dim_key, dim_value, 0.6f, true), x);
            ASSERT_EQ(results.size(), 2u);
            const cv::Mat expected = attentionReference(x, heads, dim_key, dim_value, 0.6f);
            EXPECT_LE(maxDifference(results[0], expected), tolerance(expected));
            EXPECT_EQ(maxDifference(results[1], attentionValues(x, heads, dim_key, dim_value)), 0);
            EXPECT_EQ(forward(paramsOf(heads, dim_key, dim_value, 0.6f, false), x).size(), 1u);
        }
}

TEST(AttentionLayer, RefusesMapsOfOtherWidth) {
    cv::RNG rng(1);
    try {
        forward(paramsOf(2, 8, 16, 1, false), randomMap({1, 63, 4, 4}, rng));
        FAIL() << "taken";
    } catch (const cv::Exception& error) {
        expectWords(error.what(), {"psa", "64 channels"});
    }
    EXPECT_THROW(forward(paramsOf(0, 8, 16, 1, false), randomMap({1, 64, 4, 4}, rng)),
                 cv::Exception);
}

} // namespace
} // namespace irmb::test
