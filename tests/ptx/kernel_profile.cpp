// What the kernels of an iRMB ask of a GPU, counted while their PTX runs on the host: instructions,
// 32-byte sectors of global memory, from caches or not, and passes through the banks of shared
// memory, as a table in Markdown. In brackets: how many times the fewest that could do.
#include "on_stand_in.hpp"
#include "support/irmb_on_device.hpp"

#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

namespace irmb::test {
namespace {

constexpr int sector_bytes = 32;
constexpr int bank_bytes = 4;
constexpr int banks = 32;
constexpr int pass_bytes = banks * bank_bytes;

struct Counts {
    long long instructions = 0;
    long long products = 0; ///< of matrices
    long long sectors = 0;
    long long fewest_sectors = 0; ///< if all that lanes ask for lay side by side
    long long passes = 0;
    long long fewest_passes = 0;
};

class Counter : public ptx::Observer {
public:
    void executed(const ptx::Instruction& instruction) override {
        ++counts.instructions;
        counts.products += instruction.mnemonic.compare(0, 4, "mma.") == 0;
    }

    void accessed(const ptx::Access& access) override {
        if (access.space == ptx::Space::Global)
            countSectors(access);
        if (access.space == ptx::Space::Shared)
            countPasses(access);
    }

    Counts counts;

private:
    template <typename F>
    static void forEach(const ptx::Access& access, F body) {
        for (int lane = 0; lane < ptx::warp_size; ++lane)
            if (access.lanes >> lane & 1u)
                body(lane, access.addresses[lane]);
    }

    void countSectors(const ptx::Access& access) {
        std::set<std::uint64_t> sectors;
        std::set<std::uint64_t> asked;
        forEach(access, [&](int, std::uint64_t address) {
            sectors.insert(address / sector_bytes);
            asked.insert(address);
        });
        counts.sectors += static_cast<long long>(sectors.size());
        counts.fewest_sectors +=
            (static_cast<long long>(asked.size()) * access.bytes + sector_bytes - 1) / sector_bytes;
    }

    /// 128 bytes of lanes at a time; each further word of a bank takes another pass.
    void countPasses(const ptx::Access& access) {
        const int lanes_at_a_time = std::min(ptx::warp_size, pass_bytes / access.bytes);
        for (int first = 0; first < ptx::warp_size; first += lanes_at_a_time) {
            std::set<std::uint64_t> words[banks];
            forEach(access, [&](int lane, std::uint64_t address) {
                if (lane / lanes_at_a_time * lanes_at_a_time != first)
                    return;
                for (std::uint64_t word = address / bank_bytes;
                     word <= (address + access.bytes - 1) / bank_bytes; ++word)
                    words[word % banks].insert(word);
            });
            std::size_t most = 0;
            for (const auto& of_bank : words)
                most = std::max(most, of_bank.size());
            counts.passes += static_cast<long long>(most);
            counts.fewest_passes += most > 0;
        }
    }
};

/// The kernel's name without its namespaces and arguments.
std::string shortName(const std::string& mangled) {
    for (const char* name : {"windowAttention", "projection"})
        if (mangled.find(name) != std::string::npos)
            return name;
    return mangled;
}

/// The row of the table that a launch becomes.
void printRow(const std::string& block, const stand_in::Launch& launch, const Counts& counts) {
    const unsigned blocks = launch.blocks.x * launch.blocks.y * launch.blocks.z;
    const unsigned warps = blocks * launch.threads.x / ptx::warp_size;
    const auto ratio = [](long long count, long long fewest) {
        return static_cast<double>(count) / static_cast<double>(fewest);
    };
    std::printf("| %s | `%s` | %u | %.1f | %lld | %lld | %.1f (%.2f) | %lld (%.2f) |\n",
                block.c_str(), shortName(launch.kernel).c_str(), blocks,
                static_cast<double>(launch.shared_bytes) / 1e3, counts.instructions / warps,
                counts.products, static_cast<double>(counts.sectors) * sector_bytes / 1e6,
                ratio(counts.sectors, counts.fewest_sectors), counts.passes,
                ratio(counts.passes, counts.fewest_passes));
}

template <typename T>
void profile(int channels, int side, const std::string& precision) {
    const std::string block = std::to_string(channels) + " @ " + std::to_string(side) + "x" +
                              std::to_string(side) + ", " + precision;
    stand_in::runKernels([&](const stand_in::Launch& launch) {
        Counter counter;
        ptxMachine().setObserver(&counter);
        const bool done = runAsPtx(launch);
        ptxMachine().setObserver(nullptr);
        printRow(block, launch, counter.counts);
        return done;
    });
    const IrmbParams params = defaultParams(channels);
    cv::RNG rng(1);
    run<T>(params, randomWeights(params, rng), randomMap({1, channels, side, side}, rng));
}

} // namespace
} // namespace irmb::test

int main() try {
    stand_in::setProcessors(132);
    std::puts(
        "| block | kernel | blocks | shared memory, kB | instructions of a warp | products of "
        "matrices | global memory, MB | passes through shared memory |\n"
        "|---|---|---|---|---|---|---|---|");
    for (const auto& [channels, side] : {std::pair{64, 80}, {128, 40}, {256, 20}})
        irmb::test::profile<__half>(channels, side, "float16");
    for (const auto& [channels, side] : {std::pair{64, 80}, {128, 40}, {256, 20}})
        irmb::test::profile<float>(channels, side, "float32");
} catch (const std::exception& error) {
    std::fprintf(stderr, "kernel_profile: %s\n", error.what());
    return 1;
}
