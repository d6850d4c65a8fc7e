#include "text.hpp"

#include <opencv2/core/version.hpp>
#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace vigil {
namespace {

#if CV_VERSION_MAJOR >= 5
constexpr bool font_is_unicode = true;
#else
constexpr bool font_is_unicode = false;
#endif

/// Length in bytes of the UTF-8 character at `i` and its code point; 0 if it is malformed.
std::size_t decodeUtf8(const std::string& text, std::size_t i, uint32_t& code) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80       ? 1
                               : lead >> 5 == 6  ? 2
                               : lead >> 4 == 14 ? 3
                               : lead >> 3 == 30 ? 4
                                                 : 0;
    if (length == 0 || i + length > text.size())
        return 0;
    code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
        const auto byte = static_cast<unsigned char>(text[i + k]);
        if (byte >> 6 != 2)
            return 0;
        code = code << 6 | (byte & 0x3FU);
    }
    return length;
}

/// Control characters, and those that hide or turn round what follows.
bool isInvisible(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

#if CV_VERSION_MAJOR >= 5

// Of a line's height: size of the font and place of the baseline.
constexpr double font_size = 0.76;
constexpr double baseline = 0.76;
constexpr int weight = 500;

cv::FontFace& font() {
    thread_local cv::FontFace face("sans");
    return face;
}

int pixelSize(int height) {
    return std::max(6, cvRound(font_size * height));
}

int measure(const std::string& text, int height) {
    return cv::getTextSize(cv::Size(), text, cv::Point(), font(), pixelSize(height), weight).width;
}

void paint(cv::Mat& picture, const std::string& text, cv::Point corner, int height,
           const cv::Scalar& colour) {
    const cv::Point origin(corner.x, corner.y + cvRound(baseline * height));
    cv::putText(picture, text, origin, colour, font(), pixelSize(height), weight);
}

#else

constexpr int face = cv::FONT_HERSHEY_SIMPLEX;
constexpr double capital_height = 21; // of FONT_HERSHEY_SIMPLEX at scale 1, pixels
constexpr double capitals_of_line = 0.52;
constexpr double baseline = 0.74;

double scaleFor(int height) {
    return capitals_of_line * height / capital_height;
}

int thicknessFor(int height) {
    return std::max(1, cvRound(height / 16.0));
}

int measure(const std::string& text, int height) {
    int below = 0;
    return cv::getTextSize(text, face, scaleFor(height), thicknessFor(height), &below).width;
}

void paint(cv::Mat& picture, const std::string& text, cv::Point corner, int height,
           const cv::Scalar& colour) {
    const cv::Point origin(corner.x, corner.y + cvRound(baseline * height));
    cv::putText(picture, text, origin, face, scaleFor(height), colour, thicknessFor(height),
                cv::LINE_AA);
}

#endif

} // namespace

std::string drawableText(const std::string& text) {
    std::string drawable;
    for (std::size_t i = 0; i < text.size();) {
        uint32_t code = 0;
        const std::size_t length = decodeUtf8(text, i, code);
        if (length == 0)
            drawable += '?';
        else if (length > 1 && !font_is_unicode && !isInvisible(code))
            drawable += '?';
        else if (!isInvisible(code))
            drawable += text.substr(i, length);
        i += std::max<std::size_t>(length, 1);
    }
    return drawable;
}

TextPainter::TextPainter(int height) : height_(height) {}

int TextPainter::widthOf(const std::string& text) const {
    return text.empty() ? 0 : measure(drawableText(text), height_);
}

void TextPainter::draw(cv::Mat& picture, const std::string& text, cv::Point corner,
                       const cv::Scalar& colour) const {
    const std::string drawable = drawableText(text);
    if (!drawable.empty())
        paint(picture, drawable, corner, height_, colour);
}

} // namespace vigil
