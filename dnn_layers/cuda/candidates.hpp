#pragma once

#include "cuda/irmb_kernels.hpp"

namespace irmb::cuda {

/// A detection head: four distances and one score a class for each anchor, and how many candidates
/// are kept of it.
struct HeadShape {
    int classes;
    int anchors;
    int keep;
};

constexpr int most_candidates = 1024; ///< one a thread of the block that ranks them

/// Whether the kernels take this head: they count its elements, and pairs of what is kept and a
/// class, in int.
inline bool candidatesFit(const HeadShape& head, int images) {
    constexpr double most = 1 << 30;
    const double classes = head.classes;
    return head.classes >= 1 && head.anchors >= 1 && head.keep >= 1 && images >= 1 &&
           head.keep <= most_candidates && images <= 65535 && 4.0 * head.anchors <= most &&
           classes * head.anchors <= most && classes * head.keep <= most;
}

/// The reduction of detection heads to their best candidates on a GPU: what YOLOv10's NMS-free tail
/// does (irmb::endToEnd()), with boxes = offset + factor * distance in float.
///
/// The constructor uploads the numbers of the boxes to the current device; launch() must run with
/// that device current. One object serves any number of threads, streams and batches.
class CandidateKernels {
public:
    /// `offsets` and `factors`: float, [4][anchors], on the host. `layer` is named in errors.
    /// Throws Error when device memory cannot be had.
    CandidateKernels(const HeadShape& head, const float* offsets, const float* factors,
                     const std::string& layer);
    ~CandidateKernels();

    /// Device memory that launch() needs beside its input and output.
    std::size_t scratchBytes(int images) const;

    /// Enqueues the reduction on `stream` and returns. T is float or __half; device memory, dense:
    /// `distances` [images, 4, anchors], `scores` [images, classes, anchors], `rows` [images, 2,
    /// keep, 6], which may overlap neither; `scratch` of scratchBytes(images), aligned to 256
    /// bytes, free for other use once the stream has come past this.
    ///
    /// A row is x1, y1, x2, y2, score, class. Its six numbers are the sums of those in the first
    /// half of `rows`, rounded to T, and of those in the second half, what rounding took away. Best
    /// first, and of equal scores the one whose anchor has the better best class, then the smaller
    /// number of the anchor, then of the class; zeros behind the last. Scores that are not finite
    /// do not count, nor do anchors whose box is not. Throws Error when candidatesFit() is false or
    /// a launch fails.
    template <typename T>
    void launch(cudaStream_t stream, const T* distances, const T* scores, T* rows, void* scratch,
                int images) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace irmb::cuda
