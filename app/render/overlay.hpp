#pragma once

#include "pipeline/frame_result.hpp"

#include <algorithm>
#include <cmath>

namespace vigil {

/// Sizes in pixels that suit a picture, so that overlays look alike at any resolution.
struct Scale {
    int line = 2;         ///< width of a line
    int text_height = 16; ///< from one line of text to the next
    int gap = 4;          ///< between text and the edge of its box

    static Scale forPicture(cv::Size size) {
        // Between the shorter side and the mean of both: neither panoramas nor portraits get
        // giants.
        const double side = std::sqrt(std::min(size.width, size.height) *
                                      (static_cast<double>(size.width) + size.height) / 2);
        // Small pictures need relatively larger overlays to stay readable.
        Scale scale;
        scale.line = static_cast<int>(std::lround(1 + side / 500));
        scale.text_height = static_cast<int>(std::lround(7 + side / 58));
        scale.gap = std::max(2, static_cast<int>(std::lround(side / 220)));
        return scale;
    }
};

/// Draws one kind of thing into pictures. A new one is a file in this folder and a line where the
/// renderer is put together.
class Overlay {
public:
    virtual ~Overlay() = default;
    virtual void draw(cv::Mat& picture, const FrameResult& result, const Scale& scale) const = 0;
};

} // namespace vigil
