#pragma once

#include "cuda_stand_in/stand_in.hpp"
#include "ptx/machine.hpp"

namespace irmb::test {

/// Has loaded the PTX of the kernels of irmb_cuda: of the files that IRMB_PTX_LIST lists, else of
/// the newest architecture that was built.
ptx::Machine& ptxMachine();

/// Runs one of these kernels, launched on the stand-in of the CUDA runtime, and says whether it is
/// one: for stand_in::runKernels(). Throws what ptx::Machine::run() throws.
bool runAsPtx(const stand_in::Launch& launch);

} // namespace irmb::test
