#include "reference/attention_reference.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace irmb {
namespace {

cv::Mat valueMap(const cv::Mat& x, int heads, int dim_value) {
    return cv::Mat(std::vector<int>{x.size[0], heads * dim_value, x.size[2], x.size[3]}, CV_32F);
}

/// Weights of all keys for one query.
std::vector<double> weightsOf(const float* q, const float* k, int dim_key, int pixels, int query,
                              float scale) {
    std::vector<double> weights(pixels);
    for (int key = 0; key < pixels; ++key)
        for (int c = 0; c < dim_key; ++c)
            weights[key] += double(scale) * q[c * pixels + query] * k[c * pixels + key];
    const double highest = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (double& weight : weights)
        total += weight = std::exp(weight - highest);
    for (double& weight : weights)
        weight /= total;
    return weights;
}

} // namespace

cv::Mat attentionReference(const cv::Mat& x, int heads, int dim_key, int dim_value, float scale) {
    cv::Mat y = valueMap(x, heads, dim_value);
    const int pixels = x.size[2] * x.size[3];
    for (int image = 0; image < x.size[0]; ++image)
        for (int head = 0; head < heads; ++head) {
            const float* q = x.ptr<float>(image, head * (2 * dim_key + dim_value));
            const float* k = q + dim_key * pixels;
            const float* v = k + dim_key * pixels;
            float* out = y.ptr<float>(image, head * dim_value);
            for (int query = 0; query < pixels; ++query) {
                const auto weights = weightsOf(q, k, dim_key, pixels, query, scale);
                for (int c = 0; c < dim_value; ++c) {
                    double sum = 0;
                    for (int key = 0; key < pixels; ++key)
                        sum += weights[key] * v[c * pixels + key];
                    out[c * pixels + query] = static_cast<float>(sum);
                }
            }
        }
    return y;
}

cv::Mat attentionValues(const cv::Mat& x, int heads, int dim_key, int dim_value) {
    cv::Mat values = valueMap(x, heads, dim_value);
    const int pixels = x.size[2] * x.size[3];
    for (int image = 0; image < x.size[0]; ++image)
        for (int head = 0; head < heads; ++head) {
            const int first = head * (2 * dim_key + dim_value) + 2 * dim_key;
            std::copy_n(x.ptr<float>(image, first), dim_value * pixels,
                        values.ptr<float>(image, head * dim_value));
        }
    return values;
}

} // namespace irmb
