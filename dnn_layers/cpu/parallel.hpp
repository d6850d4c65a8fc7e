#pragma once

#include <opencv2/core/types.hpp>

#include <functional>

namespace irmb::cpu {

using ParallelBody = std::function<void(const cv::Range&)>;

/// Runs `body` on parts of [0, count) in several threads, and returns when all are done. They are
/// those of OpenCV's pool unless a ThreadPoolScope says otherwise.
void parallelFor(int count, const ParallelBody& body);

/// Into how many tasks to cut `count` pieces of work so that none has more than about `most` and
/// threads get equal shares.
int tasksFor(int count, int most);

/// Runs a body like parallelFor().
using ThreadPool = void (*)(int count, const ParallelBody& body);

/// Makes parallelFor() use another pool in this thread as long as the object lives.
class ThreadPoolScope {
public:
    explicit ThreadPoolScope(ThreadPool pool);
    ~ThreadPoolScope();
    ThreadPoolScope(const ThreadPoolScope&) = delete;
    ThreadPoolScope& operator=(const ThreadPoolScope&) = delete;

private:
    ThreadPool before_;
};

} // namespace irmb::cpu
