#pragma once

#include "accelerate/region.hpp"

#include <irmb_dnn/model.hpp>

#include <memory>
#include <stdexcept>

namespace irmb::accelerate {

/// A region ready to run.
class RegionRunner {
public:
    virtual ~RegionRunner() = default;

    /// Computes the whole batch. Pointers to float32 maps [B, C, H, W], in the order of the
    /// region's inputs and outputs. Any number of threads may call it at a time; they wait for each
    /// other. Uses as many threads as cv::getNumThreads() says.
    virtual void run(const std::vector<const float*>& inputs,
                     const std::vector<float*>& outputs) = 0;
};

/// Thrown by makeRunner() when a step has no fast implementation.
struct UnsupportedStep : std::runtime_error {
    explicit UnsupportedStep(std::size_t step_in)
        : std::runtime_error("a step is not supported"), step(step_in) {}
    std::size_t step; ///< index in the region
};

// Why there is no runner, or none in bfloat16.
inline constexpr const char* no_onednn = "irmb_dnn was built without oneDNN";
inline constexpr const char* no_avx2 = "the processor has no AVX2";
inline constexpr const char* no_bfloat16 = "the processor has no AVX512-BF16";

/// What runs regions in this process.
struct RunnerInfo {
    std::string library;   ///< "oneDNN 2.6.3"; empty: there is none
    std::string reason;    ///< why there is none
    bool bfloat16 = false; ///< the processor has the instructions
};
RunnerInfo runnerInfo();

/// Prepares a region and packs its weights. Throws UnsupportedStep.
std::shared_ptr<RegionRunner> makeRunner(Region region, Precision precision);

} // namespace irmb::accelerate
