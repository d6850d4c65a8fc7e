#include <irmb_dnn/model.hpp>

#include <algorithm>

namespace irmb {
namespace {

int countOf(const std::vector<BlockReport>& blocks, BlockReport::Outcome outcome) {
    return static_cast<int>(std::count_if(
        blocks.begin(), blocks.end(), [outcome](const auto& b) { return b.outcome == outcome; }));
}

} // namespace

int FusionReport::whole() const {
    return countOf(blocks, BlockReport::Outcome::Whole);
}
int FusionReport::core() const {
    return countOf(blocks, BlockReport::Outcome::Core);
}
int FusionReport::unfused() const {
    return countOf(blocks, BlockReport::Outcome::Unfused);
}

} // namespace irmb
