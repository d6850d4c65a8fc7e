#pragma once

#include "labelled_data.hpp"

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <vector>

namespace vigil {

/// One detection to be judged.
struct ScoredBox {
    int class_index = 0; ///< into LabelledData::classes
    double score = 0;    ///< 0..1
    cv::Rect2d box;      ///< pixels
};

/// How one class, or all together, was found. Values are missing where nothing defines them: the
/// average precision without objects, the precision without detections.
struct Scores {
    int64_t objects = 0; ///< labelled ones, crowds not counted
    std::optional<double> ap50;
    std::optional<double> ap50_95;
    int64_t true_positives = 0;  ///< at the chosen confidence and an IoU of 0.5
    int64_t false_positives = 0; ///< the same

    std::optional<double> precision() const;
    std::optional<double> recall() const;
};

struct Evaluation {
    std::vector<Scores> classes;
    Scores all; ///< average precisions: means over the classes that have objects; counts: sums
};

/// Average precision by COCO's rules (area "all"): a detection belongs to the free object of its
/// class with the largest IoU, best score first, at most 100 detections of a class in an image;
/// IoU thresholds 0.5, 0.55 .. 0.95; precision, made monotone, is read off at 101 recalls.
class Evaluator {
public:
    /// `confidence`: the lowest score that counts for precision and recall.
    Evaluator(int num_classes, double confidence);

    /// Judges the detections of one image, in any order.
    void addImage(const std::vector<LabelledObject>& objects, const std::vector<ScoredBox>& found);

    Evaluation result() const;

    static constexpr int num_thresholds = 10;

private:
    using Flags = std::bitset<num_thresholds>; ///< one an IoU threshold

    struct Judged {
        double score = 0;
        Flags correct;
        Flags ignored; ///< on a crowd
    };

    struct ClassRecord {
        int64_t objects = 0;
        std::vector<Judged> judged;
    };

    void judgeClass(ClassRecord& record, std::vector<LabelledObject> objects,
                    std::vector<ScoredBox> found);
    Scores scoresOf(const ClassRecord& record) const;

    double confidence_;
    std::vector<ClassRecord> classes_;
};

} // namespace vigil
