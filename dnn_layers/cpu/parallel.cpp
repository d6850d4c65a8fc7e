#include "cpu/parallel.hpp"

#include "cpu/handover.hpp"
#include "cpu/rounding.hpp"

#include <opencv2/core/utility.hpp>

#include <algorithm>

namespace irmb::cpu {
namespace {

/// A body for OpenCV's pool.
class PoolBody : public cv::ParallelLoopBody {
public:
    explicit PoolBody(const ParallelBody& body) : body_(body) { handover_.give(); }
    ~PoolBody() override { handover_.take(); }

    void operator()(const cv::Range& range) const override {
        handover_.take();
        body_(range);
        handover_.give();
    }

private:
    const ParallelBody& body_;
    mutable Handover handover_;
};

void openCvPool(int count, const ParallelBody& body) {
    cv::parallel_for_({0, count}, PoolBody(body), count);
}

thread_local ThreadPool current_pool = openCvPool;

} // namespace

void parallelFor(int count, const ParallelBody& body) {
    if (count > 0)
        current_pool(count, body);
}

int tasksFor(int count, int most) {
    return roundUp(ceilDivide(count, most), std::max(1, cv::getNumThreads()));
}

ThreadPoolScope::ThreadPoolScope(ThreadPool pool) : before_(current_pool) {
    current_pool = pool;
}

ThreadPoolScope::~ThreadPoolScope() {
    current_pool = before_;
}

} // namespace irmb::cpu
