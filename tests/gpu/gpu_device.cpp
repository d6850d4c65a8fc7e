#include "support/irmb_on_device.hpp"

/// This machine's GPU, as the tests of the kernels want it.

namespace irmb::test {

bool hasDevice() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}
void chooseThreadOrder(int /*i*/) {}
void chooseProcessors(int /*count*/) {}
void resetDevice() {}

} // namespace irmb::test
