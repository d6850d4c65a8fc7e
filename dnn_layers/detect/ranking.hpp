#pragma once

#include <vector>

namespace irmb {

/// One image's output of a raw head: 4 rows of box numbers, then one row of scores a class, each
/// with a column an anchor.
struct RawHead {
    const float* data = nullptr;
    int classes = 0;
    int anchors = 0;

    const float* row(int i) const {
        return data + static_cast<std::size_t>(i) * static_cast<std::size_t>(anchors);
    }
    float score(int class_id, int anchor) const { return row(4 + class_id)[anchor]; }
};

struct Candidate {
    int anchor = 0;
    int class_id = 0;
    float score = 0.f;
};

/// The best class of each anchor whose score reaches `confidence`, in anchor order. `wanted` lists
/// the classes to look at. Scores and boxes that are not finite do not count.
std::vector<Candidate> bestClasses(const RawHead& head, const std::vector<int>& wanted,
                                   float confidence);

/// What YOLOv10's NMS-free tail keeps: of the `keep` anchors with the best scores the `keep` best
/// pairs of anchor and class, so that an anchor may come twice. Best first; of equal scores the one
/// that comes first in the tail's order.
std::vector<Candidate> rankPairs(const RawHead& head, const std::vector<int>& wanted,
                                 float confidence, int keep);

} // namespace irmb
