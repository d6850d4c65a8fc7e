#pragma once

#include <string>

namespace irmb {

/// What accelerates networks on the CPU of this machine.
struct AccelerationSupport {
    std::string library;   ///< "oneDNN 2.6.3", beside our own kernels; empty: nothing
    bool bfloat16 = false; ///< whether Precision::Bfloat16 can be had
    std::string reason;    ///< why bfloat16 cannot be had; empty if it can
};
AccelerationSupport accelerationSupport();

} // namespace irmb
