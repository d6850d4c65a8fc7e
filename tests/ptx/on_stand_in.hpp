#pragma once

#include "cuda_stand_in/stand_in.hpp"
#include "ptx/machine.hpp"

namespace irmb::test {

/// Has loaded the PTX of the kernels of irmb_cuda: of the files that IRMB_PTX_LIST lists, else of
/// the newest architecture that was built, and of OpenCV's kernels, where their sources were kept.
ptx::Machine& ptxMachine();

/// Runs one of these kernels, launched on the stand-in of the CUDA runtime, and says whether it is
/// one: for stand_in::runKernels(). Throws what ptx::Machine::run() throws, and for kernels of
/// irmb_cuda that it does not have.
bool runAsPtx(const stand_in::Launch& launch);

} // namespace irmb::test
