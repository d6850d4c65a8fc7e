#pragma once

#include "overlay.hpp"
#include "text.hpp"

#include <string>
#include <vector>

namespace vigil {

/// A box around each object and a label with class and score.
class BoxOverlay : public Overlay {
public:
    explicit BoxOverlay(std::vector<std::string> class_names);
    void draw(cv::Mat& picture, const FrameResult& result, const Scale& scale) const override;

private:
    struct Label {
        std::string text;
        cv::Rect place;
        cv::Scalar colour;
    };
    std::vector<Label> labelsFor(const FrameResult& result, cv::Size picture,
                                 const TextPainter& painter, const Scale& scale) const;

    std::vector<std::string> class_names_;
};

/// Where a label of `size` goes: above its box, else inside, below or beside it, always inside the
/// picture, at the first of these places that covers none of `taken`; if there is none, at the one
/// that covers least.
cv::Rect placeLabel(const cv::Rect& box, cv::Size size, cv::Size picture,
                    const std::vector<cv::Rect>& taken);

} // namespace vigil
