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
void resetDevice() {
    stand_in::setProcessors(4);
    ptxMachine().setOrder(ptx::Order::Forward);
}

namespace {

TEST_F(IrmbCuda, HeadSizesOfYolov10nOnALargeGpu) {
    stand_in::setProcessors(132);
    expectAgreement(defaultParams(64), {1, 64, 80, 80});
    expectAgreement(defaultParams(128), {1, 128, 40, 40});
    expectAgreement(defaultParams(256), {1, 256, 20, 20});
}

} // namespace
} // namespace irmb::test
