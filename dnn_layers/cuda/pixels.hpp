#pragma once

#include "cuda/irmb_kernels.hpp"

namespace irmb::cuda {

/// Enqueues planes = bgr / 255: from 8-bit pixels [images][pixels][3], blue first, to RGB planes
/// [images][3][pixels] of T (float or __half), 0..1. Device memory, dense. Throws Error that names
/// `layer` when the launch fails or there are too many pixels to count in int.
template <typename T>
void launchPixels(cudaStream_t stream, const unsigned char* bgr, T* planes, int images, int pixels,
                  const std::string& layer);

} // namespace irmb::cuda
