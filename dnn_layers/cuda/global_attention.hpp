#pragma once

#include "cuda/irmb_kernels.hpp"

namespace irmb::cuda {

/// A map [images, heads * (2 * dim_key + dim_value), pixels] whose channels are for each head q, k
/// and v.
struct AttentionShape {
    int images;
    int heads;
    int dim_key;   ///< channels of q and of k in a head
    int dim_value; ///< channels of v in a head
    int pixels;
};

constexpr int most_attention_key = 256; ///< channels; q of a block's queries is in shared memory

/// Whether the kernel takes this shape: it counts elements of an image and rows of its grid in int.
inline bool attentionFits(const AttentionShape& shape) {
    const double channels = shape.heads * (2.0 * shape.dim_key + shape.dim_value);
    return shape.images >= 1 && shape.heads >= 1 && shape.dim_key >= 1 && shape.dim_value >= 1 &&
           shape.pixels >= 1 && shape.dim_key <= most_attention_key && shape.images <= 65535 &&
           channels <= 65535 && channels * shape.pixels <= 2147483647.0;
}

/// Enqueues y = softmax(q^T k * scale) v among all pixels, head by head, with float accumulation
/// and a float softmax whatever T is (float or __half), and values = v where that is not null.
/// Logits never leave the chip: keys come in blocks, and the softmax follows them (online softmax:
/// Milakov and Gimelshein, arXiv:1805.02867).
///
/// Device memory, dense: x as AttentionShape says, y and values [images, heads * dim_value,
/// pixels]; none may overlap. Throws Error that names `layer` when attentionFits() is false or the
/// launch fails.
template <typename T>
void launchGlobalAttention(cudaStream_t stream, const T* x, T* y, T* values,
                           const AttentionShape& shape, float scale, const std::string& layer);

} // namespace irmb::cuda
