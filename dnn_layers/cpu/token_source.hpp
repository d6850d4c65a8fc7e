#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <cstddef>
#include <vector>

namespace irmb::cpu {

/// The pixels of one image as tokens, normalised while they are read.
class TokenSource {
public:
    /// Without normalisation. `image` is [channels][pixels].
    TokenSource(const float* image, int channels, int pixels);

    /// Step 1 of the block; takes the statistics of the image where the norm calls for them.
    TokenSource(const float* image, int pixels, const IrmbParams& params,
                const IrmbWeights& weights);

    int channels() const { return static_cast<int>(scale_.size()); }

    /// Copies the pixels first + index[0 .. tokens), or [first, first + tokens) without `index`, to
    /// out[channels][tokens].
    void read(const int* index, int first, int tokens, float* out, std::ptrdiff_t ld) const;

private:
    void measure(int groups, float eps);

    const float* image_;
    int pixels_;
    std::vector<float> mean_; ///< (x - mean) * scale + shift
    std::vector<float> scale_;
    std::vector<float> shift_;
    bool layer_norm_ = false;
    float layer_eps_ = 0.f;
    const float* layer_scale_ = nullptr;
    const float* layer_shift_ = nullptr;
};

} // namespace irmb::cpu
