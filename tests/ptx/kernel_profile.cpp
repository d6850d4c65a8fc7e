// What the kernels of an iRMB ask of a GPU, counted while their PTX runs on the host: instructions,
// 32-byte sectors of global memory and passes through the banks of shared memory.
#include "on_stand_in.hpp"
#include "support/irmb_on_device.hpp"

#include <cstdio>
#include <set>

namespace irmb::test {
namespace {

constexpr int sector_bytes = 32;
constexpr int bank_bytes = 4;
constexpr int banks = 32;
constexpr int pass_bytes = banks * bank_bytes;

struct Counts {
    long long warps = 0;
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

Counter counter;

bool countAndRun(const stand_in::Launch& launch) {
    counter.counts = {};
    ptxMachine().setObserver(&counter);
    const bool done = runAsPtx(launch);
    const Counts& counts = counter.counts;
    const unsigned blocks = launch.blocks.x * launch.blocks.y * launch.blocks.z;
    const unsigned warps = blocks * launch.threads.x / ptx::warp_size;
    std::printf("| `%s` | %u | %zu | %lld | %lld | %lld | %.2f | %lld | %.2f |\n",
                launch.kernel.find("windowAttention") != std::string::npos ? "windowAttention"
                                                                           : "projection",
                blocks, launch.shared_bytes, counts.instructions / warps, counts.products,
                counts.sectors * sector_bytes / 1024,
                static_cast<double>(counts.sectors) / static_cast<double>(counts.fewest_sectors),
                counts.passes,
                static_cast<double>(counts.passes) / static_cast<double>(counts.fewest_passes));
    return done;
}

template <typename T>
void profile(const char* precision) {
    for (const auto& [channels, side] : {std::pair{64, 80}, {128, 40}, {256, 20}}) {
        std::printf("\n%d channels, %d x %d, %s\n\n", channels, side, side, precision);
        std::puts(
            "| kernel | blocks | bytes of shared memory | instructions of a warp | products of "
            "matrices | kB of global memory | to fewest | passes through shared memory | to "
            "fewest |\n|---|---|---|---|---|---|---|---|---|");
        IrmbParams params;
        params.dim_in = params.dim_mid = params.dim_out = channels;
        params.act = Activation::Silu;
        cv::RNG rng(1);
        run<T>(params, randomWeights(params, rng), randomMap({1, channels, side, side}, rng));
    }
}

} // namespace
} // namespace irmb::test

int main() {
    stand_in::setProcessors(132);
    stand_in::runKernels(irmb::test::countAndRun);
    irmb::test::profile<__half>("float16");
    irmb::test::profile<float>("float32");
}
