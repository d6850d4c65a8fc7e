#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// PTX, the assembler language of CUDA's virtual machine, as nvcc writes it.
namespace ptx {

/// A register, a constant, or an address made of both. Symbols are constants: the place of a
/// parameter among the parameters, the place of a variable in shared memory.
struct Operand {
    int reg = -1; ///< number of the register; negative: none
    std::uint64_t constant = 0;
};

struct Instruction {
    std::string mnemonic;            ///< with its suffixes, "ld.global.v2.f32"
    std::vector<Operand> operands;   ///< in order, vectors taken apart
    bool starts_with_vector = false; ///< tells `mov.b32 {a, b}, c` from `mov.b32 a, {b, c}`
    int guard = -1;                  ///< register of the predicate; negative: none
    bool guard_negated = false;
    int target = -1; ///< of a branch: number of an instruction
    int line = 0;    ///< in the source
};

struct Parameter {
    int offset;
    int bytes;
};

struct Kernel {
    std::string name; ///< mangled
    std::vector<Parameter> parameters;
    std::vector<Instruction> code;
    std::map<std::string, int> registers; ///< special ones such as %tid.x among them
    int shared_bytes = 0;         ///< of its own variables, in front of what a launch asks for
    int local_bytes = 0;          ///< of each thread
    unsigned most_threads = 1024; ///< of a block
};

/// A PTX source. Kernels are parsed when they are asked for.
class Module {
public:
    explicit Module(std::string_view source);

    std::vector<std::string> kernels() const; ///< mangled names

    /// Throws std::runtime_error with the line of what it can't read, or if there is no such
    /// kernel.
    Kernel parse(const std::string& name) const;

private:
    std::string text_;
    std::vector<std::string> dynamic_memory_;    ///< names of the memory that a launch asks for
    std::map<std::string, std::size_t> kernels_; ///< where they begin
};

/// The name of a kernel without the numbers that nvcc gives unnamed namespaces, which differ from
/// one compilation of a file to the next. The name of the file stays.
std::string stableName(const std::string& mangled);

} // namespace ptx
