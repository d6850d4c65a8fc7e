#pragma once

#include <opencv2/core/types.hpp>

namespace vigil {

/// The colour of a class, as B, G, R in 0..255: the same for an id at all times. Neighbouring ids
/// lie a golden angle apart on the hue circle of OKLCH and differ in lightness.
cv::Scalar classColour(int class_id);

/// Black or white, whichever is easier to read on `background`.
cv::Scalar textColourOn(const cv::Scalar& background);

} // namespace vigil
