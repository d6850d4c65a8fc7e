#pragma once

#include "accelerate/onednn/tasks.hpp"
#include "cpu/kernels.hpp"

namespace irmb::accelerate {

/// Whether the Winograd kernel computes this convolution between float32 maps in blocks of `block`
/// channels.
bool suitsWinograd(const Convolution& conv, const MapSize& source, const MapSize& target,
                   int block);

/// The weights as the kernel wants them, transformed in double precision.
dnnl::memory packWinograd(const dnnl::engine& engine, const Convolution& conv,
                          const MapSize& source, const MapSize& target, int block);

/// A 3x3 convolution with stride 1.
class WinogradTask : public Task {
public:
    struct Arguments {
        BlockedMap source;
        dnnl::memory weights;
        dnnl::memory bias;
        BlockedMap residual; ///< without memory: none
        BlockedMap target;
        dnnl::memory scratch; ///< scratchFloats() floats
    };

    /// Floats of scratch that a pass takes on this many threads.
    static std::size_t scratchFloats(const MapSize& source, const MapSize& target, int threads);

    WinogradTask(const Convolution& conv, Arguments arguments, int threads);
    void run(dnnl::stream& stream) override;

private:
    cpu::Winograd description() const;

    Arguments arguments_;
    Activation before_;
    Activation after_;
    int top_;
    int left_;
    int threads_;
};

} // namespace irmb::accelerate
