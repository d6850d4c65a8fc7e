#include "compare.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace vigil {
namespace {

constexpr double relative_floor = 1e-3; // of the largest expected value
constexpr double tie_absolute = 1e-6;   // scores
constexpr double tie_relative = 1e-4;
constexpr int row_size = 6;
constexpr int box_size = 4;
constexpr double infinity = std::numeric_limits<double>::infinity();

double at(const NpyArray& array, std::size_t i) {
    return array.isFloat32() ? static_cast<double>(array.values.ptr<float>()[i])
                             : array.values.ptr<double>()[i];
}

double difference(double actual, double expected) {
    if (actual == expected || (std::isnan(actual) && std::isnan(expected)))
        return 0;
    const double error = std::abs(actual - expected);
    return std::isnan(error) ? infinity : error;
}

void account(Comparison& comparison, double actual, double expected) {
    const double error = difference(actual, expected);
    comparison.max_abs_err = std::max(comparison.max_abs_err, error);
    const double size = std::abs(expected);
    if (error == infinity)
        comparison.max_rel_err = infinity;
    else if (size > 0 && size >= relative_floor * comparison.ref_abs_max)
        comparison.max_rel_err = std::max(comparison.max_rel_err, error / size);
}

struct Row {
    double values[row_size];
    double score() const { return values[4]; }
    double label() const { return values[5]; }
};

double boxError(const Row& a, const Row& b) {
    double error = 0;
    for (int i = 0; i < box_size; ++i)
        error = std::max(error, difference(a.values[i], b.values[i]));
    return error;
}

double rowError(const Row& a, const Row& b) {
    return std::max(boxError(a, b), difference(a.score(), b.score()));
}

/// Pairs the rows of one image and adds up what they differ by.
class RowMatcher {
public:
    RowMatcher(std::vector<Row> actual, std::vector<Row> expected)
        : actual_(std::move(actual)),
          expected_(std::move(expected)),
          partner_(expected_.size(), -1),
          used_(actual_.size(), false),
          cut_(tieLimit()) {}

    void match(double tolerance) {
        pairWithin(tolerance);
        pairWithin(infinity);
    }

    void accountTo(Comparison& comparison) const {
        RowErrors& rows = *comparison.rows;
        for (std::size_t e = 0; e < expected_.size(); ++e) {
            if (partner_[e] < 0)
                rows.unmatched += counts(expected_[e]);
            else if (counts(expected_[e]) || counts(actual_[partner_[e]]))
                accountPair(comparison, actual_[partner_[e]], expected_[e]);
        }
        for (std::size_t a = 0; a < actual_.size(); ++a)
            rows.unmatched += !used_[a] && counts(actual_[a]);
    }

private:
    /// Scores up to here may have tied for the last place.
    double tieLimit() const {
        double last = -infinity;
        double best = -infinity;
        for (const auto* rows : {&actual_, &expected_}) {
            double lowest = infinity;
            for (const Row& row : *rows) {
                lowest = std::min(lowest, row.score());
                best = std::max(best, row.score());
            }
            last = std::max(last, lowest);
        }
        const double limit = last + tie_absolute + tie_relative * std::abs(last);
        return best > limit ? limit : -infinity;
    }

    /// A score that is not a number always counts.
    bool counts(const Row& row) const { return !(row.score() <= cut_) || cut_ == -infinity; }

    void pairWithin(double tolerance) {
        for (std::size_t e = 0; e < expected_.size(); ++e) {
            if (partner_[e] >= 0)
                continue;
            partner_[e] = nearest(expected_[e], tolerance);
            if (partner_[e] >= 0)
                used_[partner_[e]] = true;
        }
    }

    int nearest(const Row& row, double tolerance) const {
        int best = -1;
        double least = infinity;
        for (std::size_t a = 0; a < actual_.size(); ++a) {
            if (used_[a] || difference(actual_[a].label(), row.label()) != 0)
                continue;
            const double error = rowError(actual_[a], row);
            if (error <= tolerance && (best < 0 || error < least)) {
                best = static_cast<int>(a);
                least = error;
            }
        }
        return best;
    }

    static void accountPair(Comparison& comparison, const Row& actual, const Row& expected) {
        RowErrors& rows = *comparison.rows;
        ++rows.compared;
        rows.box_err_px = std::max(rows.box_err_px, boxError(actual, expected));
        rows.score_err = std::max(rows.score_err, difference(actual.score(), expected.score()));
        for (int i = 0; i < row_size; ++i)
            account(comparison, actual.values[i], expected.values[i]);
    }

    std::vector<Row> actual_;
    std::vector<Row> expected_;
    std::vector<int> partner_; // of each expected row
    std::vector<bool> used_;   // actual rows
    double cut_;
};

std::vector<Row> rowsOf(const NpyArray& array, int image) {
    const std::size_t count = static_cast<std::size_t>(array.shape[1]);
    std::vector<Row> rows(count);
    for (std::size_t r = 0; r < count; ++r)
        for (int i = 0; i < row_size; ++i)
            rows[r].values[i] = at(array, (image * count + r) * row_size + i);
    return rows;
}

NpyArray asArray(const cv::Mat& blob) {
    return {std::vector<int>(blob.size.p, blob.size.p + blob.dims), blob.reshape(1, 1)};
}

} // namespace

double largestFinite(const NpyArray& array) {
    double largest = 0;
    for (std::size_t i = 0; i < array.values.total(); ++i)
        if (std::isfinite(at(array, i)))
            largest = std::max(largest, std::abs(at(array, i)));
    return largest;
}

Comparison compareElements(const cv::Mat& actual, const NpyArray& expected) {
    CV_Assert(actual.type() == CV_32F && actual.isContinuous());
    CV_Assert(actual.total() == expected.values.total());
    Comparison comparison;
    comparison.ref_abs_max = largestFinite(expected);
    for (std::size_t i = 0; i < actual.total(); ++i)
        account(comparison, actual.ptr<float>()[i], at(expected, i));
    return comparison;
}

Comparison compareRawHead(const cv::Mat& actual, const NpyArray& expected) {
    CV_Assert(expected.shape.size() == 3 && expected.shape[1] > box_size);
    Comparison comparison = compareElements(actual, expected);
    RowErrors rows;
    const std::size_t places = static_cast<std::size_t>(expected.shape[2]);
    const std::size_t channels = static_cast<std::size_t>(expected.shape[1]);
    for (std::size_t i = 0; i < actual.total(); ++i) {
        double& error = i / places % channels < box_size ? rows.box_err_px : rows.score_err;
        error = std::max(error, difference(actual.ptr<float>()[i], at(expected, i)));
    }
    rows.compared = static_cast<int>(places) * expected.shape[0];
    comparison.rows = rows;
    return comparison;
}

Comparison compareDetections(const cv::Mat& actual, const NpyArray& expected, double tolerance) {
    CV_Assert(actual.type() == CV_32F && actual.isContinuous() && actual.dims == 3);
    CV_Assert(expected.shape.size() == 3 && expected.shape[2] == row_size);
    CV_Assert(actual.size[0] == expected.shape[0] && actual.size[2] == row_size);
    Comparison comparison;
    comparison.ref_abs_max = largestFinite(expected);
    comparison.rows.emplace();
    const NpyArray found = asArray(actual);
    for (int image = 0; image < expected.shape[0]; ++image) {
        RowMatcher matcher(rowsOf(found, image), rowsOf(expected, image));
        matcher.match(tolerance);
        matcher.accountTo(comparison);
    }
    if (comparison.rows->unmatched > 0)
        comparison.max_abs_err = comparison.max_rel_err = infinity;
    return comparison;
}

} // namespace vigil
