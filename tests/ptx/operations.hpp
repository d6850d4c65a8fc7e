#pragma once

#include "machine.hpp"

#include <functional>

namespace ptx {

/// What an instruction does to some lanes of a warp. Branches, barriers and the end of a thread are
/// the machine's.
using Operation = std::function<void(const Instruction&, Warp& warp, Block& block, Lanes lanes)>;

/// Throws std::runtime_error if there is no such instruction here.
const Operation& operationOf(const Instruction& instruction);

} // namespace ptx
