#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace irmb::cpu {

/// Tells ThreadSanitizer that a pool hands work over and waits for it, which it does not see in
/// pools that are built without it. Does nothing in other builds.
class Handover {
public:
    /// What this thread did before comes before what others do after take().
    void give() {
#if defined(__SANITIZE_THREAD__)
        __tsan_release(this);
#endif
    }

    void take() {
#if defined(__SANITIZE_THREAD__)
        __tsan_acquire(this);
#endif
    }
};

} // namespace irmb::cpu
