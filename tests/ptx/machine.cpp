#include "machine.hpp"

#include "operations.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace ptx {
namespace {

enum class Control { None, Branch, Barrier, WarpBarrier, End };

/// Throws for a barrier that is not of all threads of a block or a warp.
void requireBarrierOfAll(const Instruction& instruction, std::uint64_t operand) {
    const std::vector<Operand>& operands = instruction.operands;
    if (operands.size() != 1 || operands[0].reg >= 0 || operands[0].constant != operand)
        throw std::runtime_error("PTX, line " + std::to_string(instruction.line) +
                                 ": the machine knows barriers of all threads alone");
}

Control controlOf(const Instruction& instruction) {
    const std::string& mnemonic = instruction.mnemonic;
    if (mnemonic == "bra" || mnemonic == "bra.uni")
        return Control::Branch;
    if (mnemonic == "ret" || mnemonic == "exit")
        return Control::End;
    if (mnemonic == "bar.sync") {
        requireBarrierOfAll(instruction, 0);
        return Control::Barrier;
    }
    if (mnemonic == "bar.warp.sync") {
        requireBarrierOfAll(instruction, ~std::uint64_t{0});
        return Control::WarpBarrier;
    }
    return Control::None;
}

struct Step {
    Control control;
    const Operation* operation;
};

Size placeOf(unsigned number, const Size& size) {
    return {number % size.x, number / size.x % size.y, number / size.x / size.y};
}

unsigned countOf(const Size& size) {
    return size.x * size.y * size.z;
}

} // namespace

struct Program {
    explicit Program(Kernel parsed) : kernel(std::move(parsed)) {
        for (const Instruction& instruction : kernel.code) {
            const Control control = controlOf(instruction);
            steps.push_back(
                {control, control == Control::None ? &operationOf(instruction) : nullptr});
        }
    }

    Kernel kernel;
    std::vector<Step> steps;
};

void Machine::load(std::string_view source) {
    const auto module = std::make_shared<const Module>(source);
    for (const std::string& name : module->kernels())
        places_[stableName(name)] = {module, name, nullptr};
}

std::shared_ptr<const Program> Machine::programOf(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(stableName(name));
    if (found == places_.end())
        throw std::runtime_error("there is no PTX of the kernel " + name);
    Place& place = found->second;
    if (!place.program)
        place.program = std::make_shared<const Program>(place.module->parse(place.name));
    return place.program;
}

namespace {

/// Runs the blocks of a launch, one after the other.
class Runner {
public:
    Runner(const Program& program, const Launch& launch, GlobalMemory& global,
           const std::vector<unsigned char>& parameters, Observer* observer)
        : kernel_(program.kernel),
          steps_(program.steps),
          launch_(launch),
          block_{SharedMemory(kernel_.shared_bytes + launch.shared_bytes), global, parameters,
                 observer},
          warps_((countOf(launch.threads) + warp_size - 1) / warp_size) {
        for (std::size_t i = 0; i < warps_.size(); ++i) {
            warps_[i].number = static_cast<int>(i);
            warps_[i].registers.resize(kernel_.registers.size());
            for (Register& values : warps_[i].registers)
                values.fill(0xdeadbeefdeadbeefu);
            for (auto& memory : warps_[i].local)
                memory.resize(kernel_.local_bytes);
        }
    }

    void run(const Size& index, bool backward) {
        index_ = index;
        block_.shared.clear();
        block_.epoch = 0;
        for (Warp& warp : warps_)
            start(warp);
        while (true) {
            for (std::size_t i = 0; i < warps_.size(); ++i)
                advance(warps_[backward ? warps_.size() - 1 - i : i]);
            const bool some_wait = std::any_of(warps_.begin(), warps_.end(),
                                               [](const Warp& warp) { return warp.waiting != 0; });
            if (!some_wait)
                return;
            for (Warp& warp : warps_)
                warp.waiting = 0;
            ++block_.epoch;
        }
    }

private:
    void start(Warp& warp) {
        const unsigned first = warp.number * warp_size;
        const unsigned threads = std::min(countOf(launch_.threads) - first, unsigned{warp_size});
        warp.at.fill(0);
        warp.running = threads == warp_size ? all_lanes : (Lanes{1} << threads) - 1;
        warp.waiting = 0;
        warp.epoch = 0;
        set(warp, "%ntid", [&](unsigned) { return launch_.threads; });
        set(warp, "%nctaid", [&](unsigned) { return launch_.blocks; });
        set(warp, "%ctaid", [&](unsigned) { return index_; });
        set(warp, "%tid", [&](unsigned lane) { return placeOf(first + lane, launch_.threads); });
    }

    template <typename F>
    void set(Warp& warp, const std::string& name, F value) {
        setPart(warp, name + ".x", [&](unsigned lane) { return value(lane).x; });
        setPart(warp, name + ".y", [&](unsigned lane) { return value(lane).y; });
        setPart(warp, name + ".z", [&](unsigned lane) { return value(lane).z; });
    }
    template <typename F>
    void setPart(Warp& warp, const std::string& name, F value) {
        const auto found = kernel_.registers.find(name);
        if (found == kernel_.registers.end())
            return;
        for (unsigned lane = 0; lane < warp_size; ++lane)
            warp.registers[found->second][lane] = value(lane);
    }

    /// Until all threads of a warp have ended or wait.
    void advance(Warp& warp) {
        while (const Lanes ready = warp.running & ~warp.waiting)
            step(warp, ready);
    }

    /// Instructions of the lanes that are furthest behind, up to the next branch, barrier or end,
    /// or until they have come up with others.
    void step(Warp& warp, Lanes ready) {
        constexpr int nowhere = std::numeric_limits<int>::max();
        const auto placeOfLane = [&](int lane) {
            return ready >> lane & 1u ? warp.at[lane] : nowhere;
        };
        int next = nowhere;
        for (int lane = 0; lane < warp_size; ++lane)
            next = std::min(next, placeOfLane(lane));
        int others = nowhere;
        Lanes here = 0;
        for (int lane = 0; lane < warp_size; ++lane)
            if (placeOfLane(lane) == next)
                here |= Lanes{1} << lane;
            else
                others = std::min(others, placeOfLane(lane));
        Control control = Control::None;
        for (; next < others && control == Control::None; ++next) {
            control = steps_.at(next).control;
            if (control != Control::None)
                moveTo(warp, here, next + 1);
            one(warp, here, next);
        }
        if (control == Control::None)
            moveTo(warp, here, next);
    }

    static void moveTo(Warp& warp, Lanes lanes, int place) {
        for (int lane = 0; lane < warp_size; ++lane)
            if (lanes >> lane & 1u)
                warp.at[lane] = place;
    }

    void one(Warp& warp, Lanes here, int number) {
        const Instruction& instruction = kernel_.code[number];
        const Lanes active = here & guarded(warp, instruction);
        if (active == 0)
            return;
        if (block_.observer)
            block_.observer->executed(instruction);
        try {
            execute(instruction, steps_[number], warp, active);
        } catch (const std::exception& error) {
            throw std::runtime_error(kernel_.name + ", line " + std::to_string(instruction.line) +
                                     " of its PTX (" + instruction.mnemonic + "), block (" +
                                     std::to_string(index_.x) + ", " + std::to_string(index_.y) +
                                     ", " + std::to_string(index_.z) + "), warp " +
                                     std::to_string(warp.number) + ": " + error.what());
        }
    }

    static Lanes guarded(const Warp& warp, const Instruction& instruction) {
        if (instruction.guard < 0)
            return all_lanes;
        Lanes lanes = 0;
        for (int lane = 0; lane < warp_size; ++lane)
            if ((warp.registers[instruction.guard][lane] & 1u) != instruction.guard_negated)
                lanes |= Lanes{1} << lane;
        return lanes;
    }

    static void requireWholeWarp(const Warp& warp, Lanes lanes) {
        if (lanes != warp.running)
            throw std::runtime_error("some lanes of the warp do not come to this barrier");
    }

    void execute(const Instruction& instruction, const Step& step, Warp& warp, Lanes lanes) {
        switch (step.control) {
        case Control::None:
            (*step.operation)(instruction, warp, block_, lanes);
            break;
        case Control::Branch:
            moveTo(warp, lanes, instruction.target);
            break;
        case Control::Barrier:
            requireWholeWarp(warp, lanes);
            warp.waiting |= lanes;
            break;
        case Control::WarpBarrier:
            requireWholeWarp(warp, lanes);
            ++warp.epoch;
            break;
        case Control::End:
            warp.running &= ~lanes;
            break;
        }
    }

    const Kernel& kernel_;
    const std::vector<Step>& steps_;
    const Launch& launch_;
    Block block_;
    std::vector<Warp> warps_;
    Size index_ = {};
};

std::vector<unsigned char> packed(const Kernel& kernel, void** arguments) {
    std::vector<unsigned char> bytes;
    for (std::size_t i = 0; i < kernel.parameters.size(); ++i) {
        const Parameter& parameter = kernel.parameters[i];
        bytes.resize(parameter.offset + parameter.bytes);
        std::memcpy(&bytes[parameter.offset], arguments[i], parameter.bytes);
    }
    return bytes;
}

} // namespace

bool Machine::knows(const std::string& name) const {
    return places_.count(stableName(name)) > 0;
}

void Machine::run(const std::string& name, const Launch& launch) {
    const std::shared_ptr<const Program> program = programOf(name);
    const unsigned threads = countOf(launch.threads);
    if (threads > program->kernel.most_threads)
        throw std::runtime_error(name + " was compiled for fewer threads than " +
                                 std::to_string(threads));
    const std::vector<unsigned char> parameters = packed(program->kernel, launch.arguments);
    GlobalMemory global(find_);
    Runner runner(*program, launch, global, parameters, observer_);
    const unsigned blocks = countOf(launch.blocks);
    const bool backward = order_ == Order::Backward;
    for (unsigned i = 0; i < blocks; ++i)
        runner.run(placeOf(backward ? blocks - 1 - i : i, launch.blocks), backward);
}

} // namespace ptx
