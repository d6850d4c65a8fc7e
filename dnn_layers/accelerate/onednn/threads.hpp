#pragma once

#include "cpu/parallel.hpp"

namespace irmb::accelerate {

/// Makes this thread run oneDNN and our own kernels on `threads` threads of one pool, OpenMP's, as
/// long as the object lives: the pools of OpenMP and OpenCV would fight for the processors.
class RegionThreads {
public:
    explicit RegionThreads(int threads);
    ~RegionThreads();
    RegionThreads(const RegionThreads&) = delete;
    RegionThreads& operator=(const RegionThreads&) = delete;

private:
    int before_;
    cpu::ThreadPoolScope scope_;
};

} // namespace irmb::accelerate
