#include "evaluator.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

namespace vigil {
namespace {

constexpr std::size_t most_detections = 100; // of a class in an image
constexpr int num_recalls = 101;
constexpr std::size_t loosest = 0; // index of the IoU threshold 0.5

/// 0.5, 0.55 .. 0.95, rounded as pycocotools' thresholds are: an overlap may lie right on one.
double iouThreshold(std::size_t i) {
    constexpr double first = 0.5;
    constexpr double last = 0.95;
    constexpr std::size_t steps = Evaluator::num_thresholds - 1;
    return i == steps ? last : first + static_cast<double>(i) * ((last - first) / steps);
}

/// Intersection over union; with a crowd, over the detection alone.
double overlap(const cv::Rect2d& found, const LabelledObject& object) {
    const cv::Rect2d& box = object.box;
    const double width =
        std::min(found.x + found.width, box.x + box.width) - std::max(found.x, box.x);
    const double height =
        std::min(found.y + found.height, box.y + box.height) - std::max(found.y, box.y);
    if (width <= 0 || height <= 0)
        return 0;
    const double shared = width * height;
    const double area = found.width * found.height;
    return shared / (object.crowd ? area : area + box.width * box.height - shared);
}

/// The object that a detection belongs to, or -1. Objects that are no crowd come first and go
/// before crowds, and each can be taken once.
int bestObject(const cv::Rect2d& found, const std::vector<LabelledObject>& objects,
               const std::vector<bool>& taken, double threshold) {
    double best_overlap = std::min(threshold, 1 - 1e-10);
    int best = -1;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (taken[i] && !objects[i].crowd)
            continue;
        if (best >= 0 && !objects[static_cast<std::size_t>(best)].crowd && objects[i].crowd)
            break;
        const double value = overlap(found, objects[i]);
        if (value < best_overlap)
            continue;
        best_overlap = value;
        best = static_cast<int>(i);
    }
    return best;
}

template <typename T>
void sortBestFirst(std::vector<T>& scored) {
    std::stable_sort(scored.begin(), scored.end(),
                     [](const T& a, const T& b) { return a.score > b.score; });
}

/// The mean over 101 recalls of the best precision at that recall or a higher one.
double averagePrecision(const std::vector<bool>& correct, int64_t objects) {
    std::vector<double> precision(correct.size());
    std::vector<double> recall(correct.size());
    double found = 0;
    for (std::size_t i = 0; i < correct.size(); ++i) {
        found += correct[i] ? 1 : 0;
        precision[i] = found / static_cast<double>(i + 1);
        recall[i] = found / static_cast<double>(objects);
    }
    for (std::size_t i = precision.size(); i-- > 1;)
        precision[i - 1] = std::max(precision[i - 1], precision[i]);
    double sum = 0;
    for (int i = 0; i < num_recalls; ++i) {
        const double at = i * 0.01; // rounded as pycocotools' recalls are
        const auto place = std::lower_bound(recall.begin(), recall.end(), at) - recall.begin();
        if (place < static_cast<std::ptrdiff_t>(precision.size()))
            sum += precision[static_cast<std::size_t>(place)];
    }
    return sum / num_recalls;
}

std::optional<double> ratio(int64_t part, int64_t whole) {
    if (whole == 0)
        return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> mean(const std::vector<Scores>& classes,
                           std::optional<double> Scores::*value) {
    double sum = 0;
    int count = 0;
    for (const Scores& scores : classes)
        if (scores.*value) {
            sum += *(scores.*value);
            ++count;
        }
    if (count == 0)
        return std::nullopt;
    return sum / count;
}

} // namespace

std::optional<double> Scores::precision() const {
    return ratio(true_positives, true_positives + false_positives);
}

std::optional<double> Scores::recall() const {
    return ratio(true_positives, objects);
}

Evaluator::Evaluator(int num_classes, double confidence)
    : confidence_(confidence), classes_(static_cast<std::size_t>(num_classes)) {}

void Evaluator::addImage(const std::vector<LabelledObject>& objects,
                         const std::vector<ScoredBox>& found) {
    std::vector<std::vector<LabelledObject>> objects_of(classes_.size());
    std::vector<std::vector<ScoredBox>> found_of(classes_.size());
    for (const LabelledObject& object : objects)
        objects_of.at(static_cast<std::size_t>(object.class_index)).push_back(object);
    for (const ScoredBox& box : found)
        found_of.at(static_cast<std::size_t>(box.class_index)).push_back(box);
    for (std::size_t i = 0; i < classes_.size(); ++i)
        judgeClass(classes_[i], std::move(objects_of[i]), std::move(found_of[i]));
}

void Evaluator::judgeClass(ClassRecord& record, std::vector<LabelledObject> objects,
                           std::vector<ScoredBox> found) {
    std::stable_partition(objects.begin(), objects.end(),
                          [](const LabelledObject& object) { return !object.crowd; });
    record.objects += std::count_if(objects.begin(), objects.end(),
                                    [](const LabelledObject& object) { return !object.crowd; });
    sortBestFirst(found);
    found.resize(std::min(found.size(), most_detections));
    std::vector<Judged> judged(found.size());
    for (std::size_t t = 0; t < num_thresholds; ++t) {
        std::vector<bool> taken(objects.size(), false);
        for (std::size_t i = 0; i < found.size(); ++i) {
            const int object = bestObject(found[i].box, objects, taken, iouThreshold(t));
            if (object < 0)
                continue;
            taken[static_cast<std::size_t>(object)] = true;
            const bool crowd = objects[static_cast<std::size_t>(object)].crowd;
            (crowd ? judged[i].ignored : judged[i].correct).set(t);
        }
    }
    for (std::size_t i = 0; i < found.size(); ++i)
        judged[i].score = found[i].score;
    record.judged.insert(record.judged.end(), judged.begin(), judged.end());
}

Scores Evaluator::scoresOf(const ClassRecord& record) const {
    Scores scores;
    scores.objects = record.objects;
    std::vector<Judged> judged = record.judged;
    sortBestFirst(judged);
    for (const Judged& one : judged) {
        if (one.score < confidence_ || one.ignored[loosest])
            continue;
        ++(one.correct[loosest] ? scores.true_positives : scores.false_positives);
    }
    if (record.objects == 0)
        return scores;
    std::vector<double> precisions;
    for (std::size_t t = 0; t < num_thresholds; ++t) {
        std::vector<bool> correct;
        for (const Judged& one : judged)
            if (!one.ignored[t])
                correct.push_back(one.correct[t]);
        precisions.push_back(averagePrecision(correct, record.objects));
    }
    scores.ap50 = precisions[loosest];
    scores.ap50_95 = std::accumulate(precisions.begin(), precisions.end(), 0.0) / num_thresholds;
    return scores;
}

Evaluation Evaluator::result() const {
    Evaluation evaluation;
    Scores& all = evaluation.all;
    for (const ClassRecord& record : classes_) {
        const Scores scores = scoresOf(record);
        all.objects += scores.objects;
        all.true_positives += scores.true_positives;
        all.false_positives += scores.false_positives;
        evaluation.classes.push_back(scores);
    }
    all.ap50 = mean(evaluation.classes, &Scores::ap50);
    all.ap50_95 = mean(evaluation.classes, &Scores::ap50_95);
    return evaluation;
}

} // namespace vigil
