#include "palette.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace vigil {
namespace {

constexpr double golden_angle = 2.399963229728653; // radians
constexpr double first_hue = 2.5;                  // class 0, most often a person: a fresh green

double encodeSrgb(double linear) {
    const double c = std::clamp(linear, 0.0, 1.0);
    return c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
}

double decodeSrgb(double encoded) {
    return encoded <= 0.04045 ? encoded / 12.92 : std::pow((encoded + 0.055) / 1.055, 2.4);
}

/// Björn Ottosson's OKLab (2020), from polar coordinates to 8-bit BGR.
cv::Scalar fromOklch(double lightness, double chroma, double hue) {
    const double a = chroma * std::cos(hue);
    const double b = chroma * std::sin(hue);
    const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    const double red = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    const double green = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    const double blue = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
    return {std::round(255 * encodeSrgb(blue)), std::round(255 * encodeSrgb(green)),
            std::round(255 * encodeSrgb(red))};
}

double luminance(const cv::Scalar& bgr) {
    return 0.0722 * decodeSrgb(bgr[0] / 255) + 0.7152 * decodeSrgb(bgr[1] / 255) +
           0.2126 * decodeSrgb(bgr[2] / 255);
}

} // namespace

cv::Scalar classColour(int class_id) {
    static constexpr std::array<double, 3> lightness = {0.78, 0.64, 0.86};
    constexpr double chroma = 0.17;
    const int id = std::max(class_id, 0);
    return fromOklch(lightness[static_cast<std::size_t>(id) % lightness.size()], chroma,
                     first_hue + golden_angle * id);
}

cv::Scalar textColourOn(const cv::Scalar& background) {
    // Contrast as in WCAG: black wins where (L + 0.05) / 0.05 > 1.05 / (L + 0.05).
    constexpr double break_even = 0.179;
    return luminance(background) > break_even ? cv::Scalar::all(0) : cv::Scalar::all(255);
}

} // namespace vigil
