#include "ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace irmb {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kHighest = std::numeric_limits<float>::max();
constexpr float kNothing = -std::numeric_limits<float>::infinity();

/// The best finite score of each anchor. Goes through memory row by row, which vectorises.
std::vector<float> bestScores(const RawHead& head, const std::vector<int>& wanted) {
    std::vector<float> best(static_cast<std::size_t>(head.anchors), kNothing);
    for (const int class_id : wanted) {
        const float* row = head.row(4 + class_id);
        for (int i = 0; i < head.anchors; ++i) {
            float& top = best[static_cast<std::size_t>(i)];
            const float score = row[i] <= kHighest ? row[i] : kNothing; // NaN compares false
            top = score > top ? score : top;
        }
    }
    return best;
}

bool hasFiniteBox(const RawHead& head, int anchor) {
    for (int row = 0; row < 4; ++row)
        if (!std::isfinite(head.row(row)[anchor]))
            return false;
    return true;
}

void keepBest(std::vector<Candidate>& candidates, int keep) {
    const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
    std::stable_sort(candidates.begin(), candidates.end(), better);
    if (candidates.size() > static_cast<std::size_t>(keep))
        candidates.resize(static_cast<std::size_t>(keep));
}

} // namespace

std::vector<Candidate> bestClasses(const RawHead& head, const std::vector<int>& wanted,
                                   float confidence) {
    const float threshold = std::max(confidence, kLowest);
    const std::vector<float> best = bestScores(head, wanted);
    std::vector<Candidate> candidates;
    for (int i = 0; i < head.anchors; ++i) {
        const float score = best[static_cast<std::size_t>(i)];
        if (score < threshold || !hasFiniteBox(head, i))
            continue;
        const auto is_best = [&](int class_id) { return head.score(class_id, i) == score; };
        const auto it = std::find_if(wanted.begin(), wanted.end(), is_best);
        candidates.push_back({i, it != wanted.end() ? *it : 0, score});
    }
    return candidates;
}

std::vector<Candidate> rankPairs(const RawHead& head, const std::vector<int>& wanted,
                                 float confidence, int keep) {
    const float threshold = std::max(confidence, kLowest);
    std::vector<Candidate> anchors = bestClasses(head, wanted, confidence);
    keepBest(anchors, keep);
    std::vector<Candidate> pairs;
    for (const Candidate& anchor : anchors) {
        for (const int class_id : wanted) {
            const float score = head.score(class_id, anchor.anchor);
            if (score >= threshold && score <= kHighest)
                pairs.push_back({anchor.anchor, class_id, score});
        }
    }
    keepBest(pairs, keep);
    return pairs;
}

} // namespace irmb
