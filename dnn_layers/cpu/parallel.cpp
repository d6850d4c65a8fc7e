#include "cpu/parallel.hpp"

#include <opencv2/core/utility.hpp>

namespace irmb::cpu {
namespace {

void openCvPool(int count, const ParallelBody& body) {
    cv::parallel_for_({0, count}, body, count);
}

thread_local ThreadPool current_pool = openCvPool;

} // namespace

void parallelFor(int count, const ParallelBody& body) {
    if (count > 0)
        current_pool(count, body);
}

ThreadPoolScope::ThreadPoolScope(ThreadPool pool) : before_(current_pool) {
    current_pool = pool;
}

ThreadPoolScope::~ThreadPoolScope() {
    current_pool = before_;
}

} // namespace irmb::cpu
