// The CUDA kernels that keep the best candidates of a head, against sorting all of them.
// irmb_cuda_test runs these on the host, irmb_cuda_gpu_test on a GPU.
#include "cuda/candidates.hpp"
#include "support/irmb_on_device.hpp"

#include <limits>
#include <numeric>

namespace irmb::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

/// A batch of heads on the host, in numbers that T holds exactly.
struct Heads {
    cuda::HeadShape shape;
    int images;
    std::vector<float> distances; ///< [images][4][anchors]
    std::vector<float> scores;    ///< [images][classes][anchors]
    std::vector<float> offsets;   ///< [4][anchors]
    std::vector<float> factors;   ///< [4][anchors]

    float score(int image, int c, int anchor) const {
        return scores[(static_cast<std::size_t>(image) * shape.classes + c) * shape.anchors +
                      anchor];
    }
    float corner(int image, int side, int anchor) const {
        const std::size_t place = static_cast<std::size_t>(side) * shape.anchors + anchor;
        return offsets[place] +
               factors[place] *
                   distances[static_cast<std::size_t>(image) * 4 * shape.anchors + place];
    }
};

template <typename T>
float rounded(float x) {
    T to;
    assign(to, x);
    return valueOf(to);
}

/// Scores of at most `levels` values in 0..1; 0: of any.
template <typename T>
Heads randomHeads(const cuda::HeadShape& shape, int images, int levels, cv::RNG& rng) {
    Heads heads = {shape, images, {}, {}, {}, {}};
    const int anchors = shape.anchors;
    for (int i = 0; i < images * 4 * anchors; ++i)
        heads.distances.push_back(rounded<T>(rng.uniform(0.f, 16.f)));
    for (int i = 0; i < images * shape.classes * anchors; ++i)
        heads.scores.push_back(rounded<T>(levels > 0 ? rng.uniform(0, levels) / float(levels)
                                                     : rng.uniform(0.f, 1.f)));
    for (int side = 0; side < 4; ++side)
        for (int anchor = 0; anchor < anchors; ++anchor) {
            const float stride = static_cast<float>(8 << anchor % 3);
            heads.offsets.push_back((static_cast<float>(anchor % 80) + 0.5f) * stride);
            heads.factors.push_back(side < 2 ? -stride : stride);
        }
    return heads;
}

bool counts(const Heads& heads, int image, int anchor) {
    for (int side = 0; side < 4; ++side)
        if (!std::isfinite(heads.corner(image, side, anchor)))
            return false;
    return true;
}

using Row = std::array<float, 6>;

/// The tail by its definition: the best anchors, and of these the best pairs, with stable sorting.
std::vector<Row> bestRows(const Heads& heads, int image) {
    const auto [classes, anchors, keep] = heads.shape;
    struct Pair {
        int anchor;
        int c;
        float score;
    };
    const auto keepBest = [keep = keep](std::vector<Pair>& pairs) {
        std::stable_sort(pairs.begin(), pairs.end(),
                         [](const Pair& a, const Pair& b) { return a.score > b.score; });
        pairs.resize(std::min<std::size_t>(pairs.size(), keep));
    };
    std::vector<Pair> best;
    for (int anchor = 0; anchor < anchors; ++anchor) {
        float top = -infinity;
        for (int c = 0; c < classes; ++c)
            if (std::isfinite(heads.score(image, c, anchor)))
                top = std::max(top, heads.score(image, c, anchor));
        if (std::isfinite(top) && counts(heads, image, anchor))
            best.push_back({anchor, 0, top});
    }
    keepBest(best);
    std::vector<Pair> pairs;
    for (const Pair& anchor : best)
        for (int c = 0; c < classes; ++c)
            if (std::isfinite(heads.score(image, c, anchor.anchor)))
                pairs.push_back({anchor.anchor, c, heads.score(image, c, anchor.anchor)});
    keepBest(pairs);
    std::vector<Row> rows(keep, Row{});
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        for (int side = 0; side < 4; ++side)
            rows[i][side] = heads.corner(image, side, pairs[i].anchor);
        rows[i][4] = pairs[i].score;
        rows[i][5] = static_cast<float>(pairs[i].c);
    }
    return rows;
}

template <typename T>
DeviceMemory<T> uploaded(const std::vector<float>& values) {
    std::vector<T> host(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        assign(host[i], values[i]);
    auto device = deviceMemory<T>(host.size());
    require(cudaMemcpy(device.get(), host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice));
    return device;
}

/// [images][2][keep][6] as the kernels write it.
template <typename T>
std::vector<float> partsOf(const Heads& heads) {
    const cuda::CandidateKernels kernels(heads.shape, heads.offsets.data(), heads.factors.data(),
                                         "head");
    const auto distances = uploaded<T>(heads.distances);
    const auto scores = uploaded<T>(heads.scores);
    const auto scratch = deviceMemory<char>(kernels.scratchBytes(heads.images));
    std::vector<T> host(std::size_t{12} * heads.images * heads.shape.keep);
    const auto rows = deviceMemory<T>(host.size());
    kernels.launch<T>(nullptr, distances.get(), scores.get(), rows.get(), scratch.get(),
                      heads.images);
    require(cudaMemcpy(host.data(), rows.get(), host.size() * sizeof(T), cudaMemcpyDeviceToHost));
    std::vector<float> parts(host.size());
    std::transform(host.begin(), host.end(), parts.begin(), [](T x) { return valueOf(x); });
    return parts;
}

/// Every row in its place. The kernels may add and multiply in one rounding, and T may take two
/// numbers for what float holds in one.
template <typename T>
void expectAgreement(const Heads& heads) {
    const std::vector<float> parts = partsOf<T>(heads);
    const std::size_t half = std::size_t{6} * heads.shape.keep;
    for (int image = 0; image < heads.images; ++image) {
        const std::vector<Row> expected = bestRows(heads, image);
        for (std::size_t row = 0; row < expected.size(); ++row)
            for (std::size_t i = 0; i < 6; ++i) {
                const float* number = parts.data() + 2 * half * image + 6 * row + i;
                const float tolerance = 1e-6f * std::max(1.f, std::abs(expected[row][i]));
                ASSERT_NEAR(number[0] + number[half], expected[row][i], tolerance)
                    << heads.shape.classes << " classes, " << heads.shape.anchors
                    << " anchors, image " << image << ", row " << row << ", number " << i;
                ASSERT_EQ(number[0], rounded<T>(expected[row][i]));
            }
    }
}

class CandidatesCuda : public IrmbCuda {};

struct Size {
    cuda::HeadShape shape;
    int images = 1;
    int levels = 0; ///< of scores, which then tie
};

void PrintTo(const Size& size, std::ostream* out) {
    *out << size.images << " x " << size.shape.classes << " classes, " << size.shape.anchors
         << " anchors, " << size.shape.keep << " kept, " << size.levels << " levels";
}

class CandidateSizes : public CandidatesCuda, public testing::WithParamInterface<Size> {};

TEST_P(CandidateSizes, AgreeWithSorting) {
    const auto& [shape, images, levels] = GetParam();
    cv::RNG rng(shape.anchors + shape.classes);
    chooseThreadOrder(shape.anchors + shape.keep);
    expectAgreement<float>(randomHeads<float>(shape, images, levels, rng));
    expectAgreement<__half>(randomHeads<__half>(shape, images, levels, rng));
}

INSTANTIATE_TEST_SUITE_P(Grid, CandidateSizes,
                         testing::Values(Size{{1, 1, 1}}, Size{{1, 31, 5}}, Size{{3, 33, 300}},
                                         Size{{80, 32, 300}}, Size{{80, 252, 252}, 2},
                                         Size{{2, 1025, 1024}}, Size{{7, 1000, 1}, 3},
                                         Size{{80, 2100, 300}}, Size{{6, 8400, 1000}},
                                         Size{{1, 3001, 300}, 1, 4}, Size{{80, 693, 300}, 2, 3},
                                         Size{{9, 1500, 1000}, 1, 1}, Size{{80, 700, 650}, 1, 1},
                                         Size{{20, 1100, 1024}, 1, 300}));

/// Scores and distances that are not finite take their anchors or pairs out, and nothing else.
TEST_F(CandidatesCuda, PassesOverWhatIsNotFinite) {
    cv::RNG rng(3);
    for (const int keep : {20, 200}) {
        Heads heads = randomHeads<float>({5, 150, keep}, 2, 0, rng);
        for (float& score : heads.scores)
            if (const int kind = rng.uniform(0, 12); kind < 3)
                score = std::array{nan, infinity, -infinity}[static_cast<std::size_t>(kind)];
        for (float& distance : heads.distances)
            if (const int kind = rng.uniform(0, 40); kind < 2)
                distance = kind == 0 ? nan : -infinity;
        for (int c = 0; c < 5; ++c)
            heads.scores[static_cast<std::size_t>(c) * 150 + 17] = nan;
        expectAgreement<float>(heads);
        expectAgreement<__half>([&] {
            Heads in_half = heads;
            for (std::vector<float>* values : {&in_half.scores, &in_half.distances})
                for (float& x : *values)
                    x = rounded<__half>(x);
            return in_half;
        }());
    }
}

/// The limit between those that are kept and the rest is told by its last bit.
TEST_F(CandidatesCuda, KeepsNoMoreThanItHasPlacesFor) {
    cv::RNG rng(7);
    Heads heads = randomHeads<float>({1, 1100, cuda::most_candidates}, 1, 1, rng);
    heads.scores[0] = nan;
    expectAgreement<float>(heads);
}

TEST_F(CandidatesCuda, KeepsNothingOfAHeadWithoutNumbers) {
    cv::RNG rng(4);
    Heads heads = randomHeads<float>({3, 70, 50}, 1, 0, rng);
    std::fill(heads.scores.begin(), heads.scores.end(), nan);
    for (const float x : partsOf<float>(heads))
        EXPECT_EQ(x, 0.f);
}

TEST_F(CandidatesCuda, RanksNegativeScoresAndBothZeros) {
    cv::RNG rng(5);
    Heads heads = randomHeads<float>({2, 100, 60}, 1, 0, rng);
    for (float& score : heads.scores)
        score = std::array{-1.5f, -0.f, 0.f, 2.f, -1e-30f}[rng.uniform(0, 5)];
    expectAgreement<float>(heads);
}

/// Of an anchor with two good classes both come, also where better anchors are not among the best.
TEST_F(CandidatesCuda, AnAnchorCanComeOftenerThanOnce) {
    cv::RNG rng(6);
    Heads heads = randomHeads<float>({4, 40, 3}, 1, 0, rng);
    std::fill(heads.scores.begin(), heads.scores.end(), 0.1f);
    for (int c = 0; c < 4; ++c)
        heads.scores[static_cast<std::size_t>(c) * 40 + 25] = 0.9f - 0.1f * static_cast<float>(c);
    expectAgreement<float>(heads);
    const std::vector<float> parts = partsOf<float>(heads);
    for (int row = 0; row < 3; ++row)
        EXPECT_EQ(parts[static_cast<std::size_t>(row) * 6 + 5], static_cast<float>(row));
}

/// The corner of a box at the far side of a large picture, where half precision has steps of 0.5.
TEST_F(CandidatesCuda, BoxesOfHalfPrecisionAreFloat) {
    Heads heads = {{1, 1, 1}, 1, {1.25f, 2.f, 0.0625f, 3.f}, {0.5f}, {}, {}};
    heads.offsets = {636.f, 604.f, 1000.f, 604.f};
    heads.factors = {-8.f, -8.f, 8.f, 8.f};
    heads.offsets[2] += 0.125f;
    const std::vector<float> parts = partsOf<__half>(heads);
    EXPECT_FLOAT_EQ(parts[0] + parts[6], 626.f);
    EXPECT_FLOAT_EQ(parts[2] + parts[8], 1000.625f);
}

TEST_F(CandidatesCuda, RefusesWhatItCannotCount) {
    const auto launch = [](const cuda::HeadShape& head, int images) {
        const std::vector<float> numbers(std::size_t{4} * std::max(1, head.anchors));
        cuda::CandidateKernels(head, numbers.data(), numbers.data(), "head")
            .launch<float>(nullptr, nullptr, nullptr, nullptr, nullptr, images);
    };
    EXPECT_THROW(launch({1, 10, 5}, 0), cuda::Error);
    EXPECT_THROW(launch({1, 10, 5}, 65536), cuda::Error);
    EXPECT_THROW(launch({0, 10, 5}, 1), cuda::Error);
    EXPECT_THROW(launch({1, 10, 0}, 1), cuda::Error);
    EXPECT_THROW(launch({1, 10, 1025}, 1), cuda::Error);
    EXPECT_THROW(launch({1 << 22, 1024, 5}, 1), cuda::Error);
}

} // namespace
} // namespace irmb::test
