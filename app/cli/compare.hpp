#pragma once

#include "npy.hpp"

#include <opencv2/core/mat.hpp>

#include <optional>

namespace vigil {

/// How far rows of detections lie apart, [B, K, 6] with rows x1, y1, x2, y2, score, class.
struct RowErrors {
    double box_err_px = 0; ///< largest difference of a corner, input pixels
    double score_err = 0;  ///< largest difference of a score
    int compared = 0;      ///< pairs of rows
    int unmatched = 0;     ///< rows of either side without a partner of the same class
};

/// What a comparison of an output with its reference found. Not-a-number and infinities are equal
/// to themselves only; any other pairing makes the errors infinite.
struct Comparison {
    double max_abs_err = 0;
    /// Largest |actual - expected| / |expected| where |expected| is at least 0.001 of the largest:
    /// what is smaller tells of rounding alone.
    double max_rel_err = 0;
    double ref_abs_max = 0; ///< largest finite |expected|
    std::optional<RowErrors> rows;
};

/// Largest finite absolute value, 0 if there is none.
double largestFinite(const NpyArray& array);

/// Element by element. `actual` is continuous CV_32F of as many elements as `expected`.
Comparison compareElements(const cv::Mat& actual, const NpyArray& expected);

/// As compareElements, and splits the errors of a raw head [B, 4 + nc, N] into boxes and scores.
Comparison compareRawHead(const cv::Mat& actual, const NpyArray& expected);

/// Compares [B, K, 6] as sets: each expected row is paired with the row of the same class that
/// differs least from it, first within `tolerance`, then at any distance. A row without a partner
/// makes the overall errors infinite.
///
/// Rows at the K-th place may have tied with rows that did not make it into the list. Those whose
/// score exceeds the last score of either list by less than 1e-6 + 1e-4 of it need no partner and
/// count only where one side of the pair lies above. When nothing does, all rows count.
Comparison compareDetections(const cv::Mat& actual, const NpyArray& expected, double tolerance);

} // namespace vigil
