#pragma once

#include <opencv2/core/mat.hpp>

#include <string>

namespace vigil {

/// Text of one height in pixels: OpenCV 5's built-in font, or Hershey strokes in 4.x, which know
/// ASCII only. Characters that cannot be drawn become question marks.
class TextPainter {
public:
    /// `height`: pixels from one line of text to the next.
    explicit TextPainter(int height);

    int height() const { return height_; }
    int widthOf(const std::string& text) const;

    /// Draws with the upper left corner of the line at `corner`; what lies outside is cut off.
    void draw(cv::Mat& picture, const std::string& text, cv::Point corner,
              const cv::Scalar& colour) const;

private:
    int height_;
};

/// Text that every font here can draw: control and direction characters removed, and, where the
/// font knows ASCII only, a question mark for each other character.
std::string drawableText(const std::string& text);

} // namespace vigil
