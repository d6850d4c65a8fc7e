#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <cstdint>

namespace irmb {

/// Floating-point operations of one image of `height` x `width`, two for a multiplication with an
/// addition. Counts convolutions and matrix products, with the padded tokens of the windows.
int64_t flops(const IrmbParams& params, int height, int width);

} // namespace irmb
