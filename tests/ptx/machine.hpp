#pragma once

#include "memory.hpp"
#include "module.hpp"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

/// Runs PTX on the host: what nvcc made of a kernel, tensor cores and all, where there is no GPU.
///
/// The lanes of a warp go on together as far as they agree, those that are behind first: lanes that
/// wait for others in a loop wait for ever. Warps run one after the other, each until its threads
/// wait at a barrier or end; blocks likewise. Much of what a GPU would leave undefined is an error:
/// memory out of bounds or not aligned; shared memory that was not written, or that two threads
/// access without a barrier between them; barriers and instructions of a whole warp that some of
/// its lanes do not come to, shuffles of a warp that is not whole among them. Races in global
/// memory and registers that were not written are not looked for.
namespace ptx {

using Lanes = std::uint32_t; ///< a bit a lane
constexpr Lanes all_lanes = 0xffffffffu;

/// A value for each lane, in its low bytes.
using Register = std::array<std::uint64_t, warp_size>;

struct Warp {
    std::vector<Register> registers;
    std::array<std::vector<unsigned char>, warp_size> local; ///< memory of each lane
    std::array<int, warp_size> at;                           ///< the next instruction of each lane
    Lanes running = 0;                                       ///< lanes that have not ended
    Lanes waiting = 0;                                       ///< at a barrier of the block
    int number = 0;
    int epoch = 0; ///< barriers of the warp so far
};

enum class Space { Parameter, Global, Shared, Local };

/// What the lanes of a warp ask of memory at a time.
struct Access {
    Space space;
    int bytes; ///< of a lane
    Lanes lanes;
    std::array<std::uint64_t, warp_size> addresses; ///< of these lanes
};

/// Sees what warps do, to count it.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void executed(const Instruction& instruction) = 0;
    virtual void accessed(const Access& access) = 0;
};

/// What the threads of a block share.
struct Block {
    SharedMemory shared;
    GlobalMemory& global;
    const std::vector<unsigned char>& parameters;
    Observer* observer = nullptr;
    int epoch = 0; ///< barriers so far

    Accessor accessor(const Warp& warp, int lane) const {
        return {warp.number * warp_size + lane, epoch, warp.epoch};
    }
};

struct Size {
    unsigned x, y, z;
};

struct Launch {
    Size blocks;
    Size threads;
    std::size_t shared_bytes;
    void** arguments; ///< the address of each
};

enum class Order { Forward, Backward };

/// A kernel that is ready to run.
struct Program;

class Machine {
public:
    /// `find` knows device memory.
    explicit Machine(GlobalMemory::Find find) : find_(std::move(find)) {}

    /// Adds the kernels of a PTX source.
    void load(std::string_view source);

    bool knows(const std::string& name) const;

    /// Runs a kernel, whose name may come from another compilation of its file. Throws
    /// std::runtime_error, which names kernel, line, warp and block, for what is undefined, and for
    /// what the machine does not know. Several threads may do so.
    void run(const std::string& name, const Launch& launch);

    /// Of warps and blocks, from now on.
    void setOrder(Order order) { order_ = order; }

    /// Tells `observer` what happens from now on; null: nobody.
    void setObserver(Observer* observer) { observer_ = observer; }

private:
    struct Place {
        std::shared_ptr<const Module> module;
        std::string name;                       ///< in it
        std::shared_ptr<const Program> program; ///< once it was asked for
    };

    std::shared_ptr<const Program> programOf(const std::string& name);

    GlobalMemory::Find find_;
    Order order_ = Order::Forward;
    Observer* observer_ = nullptr;
    std::mutex mutex_;
    std::map<std::string, Place> places_;
};

} // namespace ptx
