#pragma once

#include <string>
#include <vector>

namespace vigil::test {

struct ProgramResult {
    int exit_code = -1; ///< 128 + signal when a signal ended the program
    std::string out;
    std::string err;
};

/// Runs the vigil program that was built with these tests.
ProgramResult runVigil(const std::vector<std::string>& arguments);

} // namespace vigil::test
