#include "accelerate/onednn/threads.hpp"

#include "cpu/handover.hpp"

#include <exception>
#include <mutex>
#include <omp.h>

namespace irmb::accelerate {
namespace {

/// Keeps the first exception: none may leave a parallel region.
class FirstError {
public:
    template <typename Work>
    void guard(Work work) noexcept {
        try {
            work();
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!error_)
                error_ = std::current_exception();
        }
    }

    void rethrow() const {
        if (error_)
            std::rethrow_exception(error_);
    }

private:
    std::mutex mutex_;
    std::exception_ptr error_;
};

struct Job {
    void run(int i) {
        handover.take();
        body({i, i + 1});
        handover.give();
    }

    const cpu::ParallelBody& body;
    cpu::Handover handover;
};

// Every thread gets the same part of each map, as oneDNN cuts them as well: what it wrote lies in
// its own cache. With parts as threads are free, two threads gained a quarter less.
//
// The threads' access to the variables of this function is OpenMP's, which orders it.
__attribute__((no_sanitize("thread"))) void openMpPool(int count, const cpu::ParallelBody& body) {
    FirstError error;
    Job job = {body, {}};
    job.handover.give();
#pragma omp parallel for schedule(static)
    for (int i = 0; i < count; ++i)
        error.guard([&] { job.run(i); });
    job.handover.take();
    error.rethrow();
}

} // namespace

RegionThreads::RegionThreads(int threads) : before_(omp_get_max_threads()), scope_(openMpPool) {
    omp_set_num_threads(threads);
}

RegionThreads::~RegionThreads() {
    omp_set_num_threads(before_);
}

} // namespace irmb::accelerate
