#include "on_stand_in.hpp"
#include "support/irmb_on_device.hpp"

/// A device that runs the PTX of the kernels, as the tests of the kernels want it.

namespace irmb::test {

bool hasDevice() {
    stand_in::runKernels(runAsPtx);
    return true;
}
void chooseThreadOrder(int i) {
    ptxMachine().setOrder(i % 2 == 0 ? ptx::Order::Forward : ptx::Order::Backward);
}
void chooseProcessors(int count) {
    stand_in::setProcessors(count);
}
void resetDevice() {
    chooseProcessors(4);
    ptxMachine().setOrder(ptx::Order::Forward);
}

} // namespace irmb::test
