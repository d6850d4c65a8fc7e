#pragma once

#include "overlay.hpp"

namespace vigil {

/// A line at the lower left: frame number, time and number of objects.
class InfoOverlay : public Overlay {
public:
    void draw(cv::Mat& picture, const FrameResult& result, const Scale& scale) const override;
};

} // namespace vigil
