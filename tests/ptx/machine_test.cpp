// Whether the machine does what the PTX ISA says, and finds what a GPU would leave undefined.
#include "ptx/machine.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <string>
#include <vector>

namespace ptx {
namespace {

using testing::HasSubstr;

/// A kernel whose only parameter, an array in device memory, is in %rd1; %r1 is the number of the
/// thread and %rd2 the place of its word in the array.
std::string kernel(const std::string& body) {
    return R"(
.version 8.0
.target sm_80
.address_size 64
.extern .shared .align 16 .b8 memory[];
.visible .entry k(
    .param .u64 k_param_0
)
.maxntid 64, 1, 1
{
    .reg .pred %p<3>;
    .reg .b16 %h<3>;
    .reg .b32 %r<40>; // comments are passed over
    .reg .f32 %f<12>;
    .reg .b64 %rd<9>;
    ld.param.u64 %rd1, [k_param_0];
    cvta.to.global.u64 %rd1, %rd1;
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd2, %r1, 4;
    add.s64 %rd2, %rd1, %rd2;
    mov.u32 %r2, memory;
    shl.b32 %r3, %r1, 2;
    add.s32 %r3, %r2, %r3;
)" + body + "\nret;\n}\n";
}

/// What a kernel of one block leaves in its array.
template <typename T>
std::vector<T> run(const std::string& source, std::vector<T> array, unsigned threads = 32,
                   std::size_t shared_bytes = 1024) {
    Machine machine([&](const void*) {
        return GlobalMemory::Allocation(reinterpret_cast<const char*>(array.data()),
                                        array.size() * sizeof(T));
    });
    machine.load(source);
    void* data = array.data();
    void* arguments[] = {&data};
    for (const Order order : {Order::Forward, Order::Backward}) {
        machine.setOrder(order);
        machine.run("k", {{1, 1, 1}, {threads, 1, 1}, shared_bytes, arguments});
    }
    return array;
}
std::vector<std::uint32_t> run(const std::string& body, unsigned threads = 32) {
    return run(kernel(body), std::vector<std::uint32_t>(threads, 77), threads);
}

/// The error of a kernel.
std::string errorOf(const std::string& body, unsigned threads = 32) {
    try {
        run(body, threads);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "no error";
}

std::uint32_t bitsOf(float x) {
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

TEST(PtxMachine, LanesThatPartMeetAgain) {
    // 3 + 3 + ..., as often as the number of the thread; then, together, an exchange.
    const auto result = run(R"(
        mov.u32 %r4, 0;
        mov.u32 %r5, 0;
    $again:
        setp.ge.u32 %p1, %r5, %r1;
        @%p1 bra $done;
        add.s32 %r4, %r4, 3;
        add.s32 %r5, %r5, 1;
        bra.uni $again;
    $done:
        shfl.sync.bfly.b32 %r6|%p2, %r4, 1, 31, -1;
        st.global.u32 [%rd2], %r6;)");
    for (std::uint32_t i = 0; i < 32; ++i)
        EXPECT_EQ(result[i], 3 * (i ^ 1u));
}

TEST(PtxMachine, LanesPassOnTheirValues) {
    const auto result = run(R"(
        shfl.sync.up.b32 %r4|%p1, %r1, 3, 0, -1;
        @!%p1 mov.u32 %r4, 99;
        st.global.u32 [%rd2], %r4;)");
    for (std::uint32_t i = 0; i < 32; ++i)
        EXPECT_EQ(result[i], i < 3 ? 99 : i - 3);
}

TEST(PtxMachine, GuardsChooseLanes) {
    const auto result = run(R"(
        and.b32 %r4, %r1, 1;
        setp.eq.s32 %p1, %r4, 0;
        @%p1 st.global.u32 [%rd2], 1;
        @!%p1 st.global.u32 [%rd2], 2;)");
    for (std::uint32_t i = 0; i < 32; ++i)
        EXPECT_EQ(result[i], 1 + i % 2);
}

TEST(PtxMachine, IntegersWrapAndKeepTheirSign) {
    const std::vector<std::pair<const char*, std::uint32_t>> cases = {
        {"add.s32 %r4, 2147483647, 1;", 0x80000000u},
        {"mul.lo.s32 %r4, 65537, 65537;", 131073u},
        {"mad.lo.s32 %r4, -3, 5, 1;", static_cast<std::uint32_t>(-14)},
        {"shr.s32 %r4, -8, 1;", static_cast<std::uint32_t>(-4)},
        {"shr.u32 %r4, -8, 28;", 15u},
        {"shl.b32 %r4, 1, 32;", 0u},
        {"div.s32 %r4, -7, 2;", static_cast<std::uint32_t>(-3)},
        {"rem.s32 %r4, -7, 2;", static_cast<std::uint32_t>(-1)},
        {"min.s32 %r4, -1, 1;", static_cast<std::uint32_t>(-1)},
        {"min.u32 %r4, -1, 1;", 1u},
        {"bfi.b32 %r4, 3, 0, 4, 2;", 0x30u},
        {"bfi.b32 %r4, 0, -1, 8, 8;", 0xffff00ffu},
        {"mov.b32 {%h1, %h2}, 0x00010002; mov.b32 %r4, {%h2, %h1};", 0x00020001u},
        {"mul.wide.s32 %rd4, -2, 3; cvt.u32.u64 %r4, %rd4;", static_cast<std::uint32_t>(-6)},
        {"neg.s32 %r4, 0x80000000;", 0x80000000u},
        {"div.s32 %r4, 0x80000000, -1;", 0x80000000u},
        {"rem.s32 %r4, 0x80000000, -1;", 0u},
        {"st.global.u32 [%rd2], 0x80ff; ld.global.s16 %r4, [%rd2];", 0xffff80ffu},
        {"st.global.u32 [%rd2], 0x80ff; ld.global.s8 %r4, [%rd2];", 0xffffffffu},
        {"st.global.u32 [%rd2], 0x80ff; ld.global.u8 %r4, [%rd2];", 0xffu},
        {"cvt.rzi.s32.f32 %r4, 0fC0200000;", static_cast<std::uint32_t>(-2)}, // -2.5
        {"cvt.rzi.s32.f32 %r4, 0f7F800000;", 0x7fffffffu},
    };
    for (const auto& [body, expected] : cases)
        EXPECT_EQ(run(std::string(body) + " st.global.u32 [%rd2], %r4;")[0], expected) << body;
}

TEST(PtxMachine, WhatIsNotANumberComparesAsIsSaid) {
    const auto holds = [](const std::string& comparison) {
        return run("setp." + comparison + R"(.f32 %p1, 0f7FC00000, 0f3F800000;
            selp.u32 %r4, 1, 0, %p1;
            st.global.u32 [%rd2], %r4;)")[0] != 0;
    };
    for (const char* ordered : {"eq", "ne", "lt", "le", "gt", "ge"}) {
        EXPECT_FALSE(holds(ordered)) << ordered;
        EXPECT_TRUE(holds(ordered + std::string("u"))) << ordered;
    }
}

TEST(PtxMachine, FloatsAreRoundedAsIsSaid) {
    const float tiny = 1.f / (1 << 25);
    const std::vector<std::pair<const char*, float>> cases = {
        {"add.rz.f32 %f1, 0f3F800000, 0fB3000000;", 1.f - 1.f / (1 << 24)}, // 1 - 2^-25
        {"add.f32 %f1, 0f3F800000, 0fB3000000;", 1.f},
        {"fma.rm.f32 %f1, 0f3F800000, 0fB3000000, 0f3F800000;", 1.f - 1.f / (1 << 24)},
        {"fma.rn.f32 %f1, 0f3F800000, 0f33000000, 0f00000000;", tiny},
        {"max.f32 %f1, 0f7FC00000, 0f40000000;", 2.f},
        {"min.f32 %f1, 0f80000000, 0f00000000;", -0.f},
        {"max.f32 %f1, 0f00000000, 0f80000000;", 0.f},
        {"cvt.sat.f32.f32 %f1, 0f7FC00000;", 0.f},
        {"cvt.sat.f32.f32 %f1, 0f40000000;", 1.f},
        {"ex2.approx.ftz.f32 %f1, 0f40400000;", 8.f},
        {"div.approx.f32 %f1, 0f3F800000, 0f7EC00000;", 0.f}, // by 1.5 * 2^126
        {"fma.rn.f16 %h1, 0x3C03, 0x3C03, 0xBC00; cvt.f32.f16 %f1, %h1;", 0x1.808p-8f},
        {"copysign.f32 %f1, 0fBF800000, 0f40000000;", -2.f},
        {"{ cvt.rn.f16.f32 %h1, 0f3F801000; cvt.f32.f16 %f1, %h1; }", 1.f}, // halfway: to even
    };
    for (const auto& [body, expected] : cases)
        EXPECT_EQ(run(std::string(body) + " st.global.f32 [%rd2], %f1;")[0], bitsOf(expected))
            << body;
}

/// Element (row, column) of an 8 x 8 matrix in shared memory is 8 row + column. By the ISA thread 0
/// gets the first two elements of row 0, thread 1 the next two, thread 4 the first two of row 1.
TEST(PtxMachine, MatricesComeInTheOrderOfTheIsa) {
    const std::string fill = R"(
        shl.b32 %r4, %r1, 1;
        add.s32 %r5, %r4, 1;
        cvt.u16.u32 %h1, %r4;
        cvt.u16.u32 %h2, %r5;
        mov.b32 %r6, {%h1, %h2};
        st.shared.u32 [%r3], %r6;
        bar.sync 0;
        and.b32 %r7, %r1, 7;
        shl.b32 %r7, %r7, 4;
        add.s32 %r7, %r2, %r7;)";
    const auto rows = run(fill + R"(
        ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r8}, [%r7];
        st.global.u32 [%rd2], %r8;)");
    const auto columns = run(fill + R"(
        ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%r8}, [%r7];
        st.global.u32 [%rd2], %r8;)");
    EXPECT_EQ(rows[0], 1u << 16 | 0);
    EXPECT_EQ(rows[1], 3u << 16 | 2);
    EXPECT_EQ(rows[4], 9u << 16 | 8);
    EXPECT_EQ(rows[31], 63u << 16 | 62);
    EXPECT_EQ(columns[0], 8u << 16 | 0);
    EXPECT_EQ(columns[1], 24u << 16 | 16);
    EXPECT_EQ(columns[4], 9u << 16 | 1);
    EXPECT_EQ(columns[31], 63u << 16 | 55);
}

/// One lane has a 1 in one place of a, every lane has in b what its row and column are worth; the
/// row of the result that holds a row of b tells where that place is.
std::vector<float> productWithOneAt(int depth, int lane, int reg, bool high) {
    std::string body = "setp.eq.s32 %p1, %r1, " + std::to_string(lane) + ";\n";
    for (int i = 0; i < 4; ++i)
        body += "selp.b32 %r" + std::to_string(10 + i) + ", " +
                std::string(i == reg ? (high ? "0x3C000000" : "0x3C00") : "0") + ", 0, %p1;\n";
    body += R"(
        and.b32 %r4, %r1, 3;
        shl.b32 %r4, %r4, 1;   // row of b's first element
        shr.u32 %r5, %r1, 2;   // column
        mad.lo.s32 %r6, %r4, 8, %r5;
        cvt.rn.f32.s32 %f1, %r6;
        add.f32 %f2, %f1, 0f41000000;
        add.f32 %f3, %f1, 0f42800000;
        add.f32 %f4, %f2, 0f42800000;
        { cvt.rn.f16x2.f32 %r20, %f2, %f1; }
        { cvt.rn.f16x2.f32 %r21, %f4, %f3; }
        mov.f32 %f5, 0f00000000;)";
    body += depth == 16 ? "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f6, %f7, %f8, %f9},"
                          "{%r10, %r11, %r12, %r13}, {%r20, %r21}, {%f5, %f5, %f5, %f5};"
                        : "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f6, %f7, %f8, %f9},"
                          "{%r10, %r11}, {%r20}, {%f5, %f5, %f5, %f5};";
    body += R"(
        mul.wide.u32 %rd3, %r1, 16;
        add.s64 %rd3, %rd1, %rd3;
        st.global.v4.f32 [%rd3], {%f6, %f7, %f8, %f9};)";
    return run(kernel(body), std::vector<float>(128, -1.f));
}

TEST(PtxMachine, ProductsOfMatricesAreThoseOfTheIsa) {
    struct Case {
        int depth, lane, reg;
        bool high;
        int row, column; // of a, by the ISA
    };
    for (const Case& c :
         {Case{16, 0, 0, false, 0, 0}, Case{16, 0, 0, true, 0, 1}, Case{16, 5, 1, false, 9, 2},
          Case{16, 6, 2, true, 1, 13}, Case{16, 31, 3, false, 15, 14}, Case{8, 0, 0, true, 0, 1},
          Case{8, 6, 0, false, 1, 4}, Case{8, 31, 1, true, 15, 7}}) {
        const auto result = productWithOneAt(c.depth, c.lane, c.reg, c.high);
        for (int lane = 0; lane < 32; ++lane)
            for (int j = 0; j < 4; ++j) {
                const int row = lane / 4 + (j < 2 ? 0 : 8);
                const int column = lane % 4 * 2 + j % 2;
                const float expected =
                    row == c.row ? static_cast<float>(8 * c.column + column) : 0.f;
                EXPECT_EQ(result[4 * lane + j], expected)
                    << c.depth << ' ' << c.lane << ' ' << c.reg << ' ' << lane;
            }
    }
}

/// The sum may take the place of what is added, in another order, too.
TEST(PtxMachine, ProductReadsBeforeItWrites) {
    const auto result = run(R"(
        mov.u32 %r10, 0;
        mov.f32 %f1, 0f3F800000;
        mov.f32 %f2, 0f40000000;
        mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r10, %r10},
            {%r10}, {%f2, %f1, %f1, %f1};
        st.global.f32 [%rd2], %f2;)");
    EXPECT_EQ(result[0], bitsOf(1.f));
}

/// Every thread reads what its mirror image has written.
std::string mirror(const std::string& barrier) {
    return "st.shared.u32 [%r3], %r1;\n" + barrier + R"(
        sub.s32 %r4, 63, %r1;
        shl.b32 %r4, %r4, 2;
        add.s32 %r4, %r2, %r4;
        ld.shared.u32 %r5, [%r4];
        st.global.u32 [%rd2], %r5;)";
}

TEST(PtxMachine, MissingBarriersShow) {
    const auto result = run(mirror("bar.sync 0;"), 64);
    for (std::uint32_t i = 0; i < 64; ++i)
        EXPECT_EQ(result[i], 63 - i);
    EXPECT_THAT(errorOf(mirror(""), 64), HasSubstr("read before it was written"));
    EXPECT_THAT(errorOf(mirror("bar.warp.sync -1;"), 64), HasSubstr("read before it was written"));
}

TEST(PtxMachine, MissingBarrierBeforeMemoryIsWrittenAgainShows) {
    const std::string again = "\nst.shared.u32 [%r3], 0;";
    EXPECT_EQ(errorOf(mirror("bar.sync 0;") + "bar.sync 0;" + again, 64), "no error");
    EXPECT_THAT(errorOf(mirror("bar.sync 0;") + again, 64), HasSubstr("without a barrier"));
}

/// All lanes read a word, the last one of them writes it.
TEST(PtxMachine, LaneThatReadLastIsNotTheOnlyReader) {
    const auto overwritten = [](const std::string& barrier) {
        return R"(
            setp.eq.s32 %p1, %r1, 0;
            @%p1 st.shared.u32 [%r2], 5;
            bar.sync 0;
            ld.shared.u32 %r5, [%r2];
            setp.eq.s32 %p2, %r1, 31;)" +
               barrier + "@%p2 st.shared.u32 [%r2], 6;";
    };
    EXPECT_EQ(errorOf(overwritten("bar.warp.sync -1;")), "no error");
    EXPECT_THAT(errorOf(overwritten("")), HasSubstr("writes over what is read"));
}

TEST(PtxMachine, LanesOfAWarpNeedABarrierToo) {
    const auto neighbour = [](const std::string& barrier) {
        return "st.shared.u32 [%r3], %r1;\n" + barrier + R"(
            xor.b32 %r4, %r3, 4;
            ld.shared.u32 %r5, [%r4];
            st.global.u32 [%rd2], %r5;)";
    };
    EXPECT_EQ(run(neighbour("bar.warp.sync -1;"))[2], 3u);
    EXPECT_THAT(errorOf(neighbour("")), HasSubstr("without a barrier"));
}

TEST(PtxMachine, ThreadsHaveMemoryOfTheirOwn) {
    const auto result = run(R"(
        .local .align 4 .b8 depot[8];
        mov.u64 %rd4, depot;
        cvta.local.u64 %rd5, %rd4;
        cvta.to.local.u64 %rd6, %rd5;
        st.local.u32 [%rd6+4], %r1;
        ld.local.u32 %r4, [%rd6+4];
        st.global.u32 [%rd2], %r4;)");
    EXPECT_EQ(result[7], 7u);
    EXPECT_EQ(result[31], 31u);
}

/// What a launch asks for comes behind a kernel's own variables.
TEST(PtxMachine, OwnVariablesComeFirst) {
    const auto result = run(R"(
        .shared .u32 word;
        .shared .align 4 .b8 own[16];
        mov.u32 %r4, word;
        mov.u32 %r5, memory;
        sub.s32 %r6, %r5, %r4;
        st.global.u32 [%rd2], %r6;)");
    EXPECT_EQ(result[0], 32u);
}

TEST(PtxMachine, AtomicsDoNotRace) {
    const std::string count = R"(
        setp.eq.s32 %p1, %r1, 0;
        @%p1 st.shared.u32 [%r2], 5;
        bar.sync 0;
        atom.shared.add.u32 %r4, [%r2], 2;
        bar.sync 0;
        ld.shared.u32 %r5, [%r2];
        st.global.u32 [%rd2], %r5;)";
    EXPECT_EQ(run(count, 64)[63], 5 + 2 * 64u);
    const std::string unordered = R"(
        setp.eq.s32 %p1, %r1, 0;
        @%p1 st.shared.u32 [%r2], 5;
        bar.sync 0;
        atom.shared.add.u32 %r4, [%r2], 2;
        setp.eq.s32 %p1, %r1, 31;
        @%p1 ld.shared.u32 %r5, [%r2];)";
    EXPECT_THAT(errorOf(unordered), HasSubstr("reads what was written"));
}

TEST(PtxMachine, NamesWhatIsUndefined) {
    EXPECT_THAT(errorOf("st.shared.u32 [%r3+1020], 0;"), HasSubstr("1024 bytes is left"));
    EXPECT_THAT(errorOf("st.shared.u32 [%r3+2], 0;"), HasSubstr("not aligned"));
    EXPECT_THAT(errorOf("st.global.u32 [%rd2+4], 0;"), HasSubstr("not in device memory"));
    EXPECT_THAT(errorOf("div.s32 %r4, 1, 0;"), HasSubstr("division by 0"));
    EXPECT_THAT(errorOf(R"(
        setp.eq.s32 %p1, %r1, 0;
        @%p1 bra $out;
        shfl.sync.bfly.b32 %r4|%p2, %r1, 1, 31, -1;
    $out:)"),
                HasSubstr("some lanes of the warp do not come"));
    EXPECT_THAT(errorOf(R"(
        setp.eq.s32 %p1, %r1, 0;
        @%p1 bar.sync 0;
        bar.sync 0;)"),
                HasSubstr("some lanes of the warp do not come to this barrier"));
    EXPECT_THAT(errorOf("bar.sync 0;", 96), HasSubstr("compiled for fewer threads"));
    const std::string error = errorOf("ld.shared.u32 %r4, [%r3];");
    EXPECT_THAT(error, HasSubstr("k, line 24 of its PTX (ld.shared.u32), block (0, 0, 0), warp 0"));
}

TEST(PtxMachine, RefusesWhatItDoesNotKnow) {
    EXPECT_THAT(errorOf("brev.b32 %r4, %r1;"),
                HasSubstr("line 24: the machine does not know brev"));
    EXPECT_THAT(errorOf("add.s32 %r4, %r1;"), HasSubstr("add.s32 of 2 operands"));
    EXPECT_THAT(errorOf("setp.eq.s32 %p1|%p2, 5, 5;"), HasSubstr("setp.eq.s32 of 4 operands"));
    EXPECT_THAT(errorOf("mov.u32 %r4, %laneid;"), HasSubstr("there is no %laneid"));
    EXPECT_THAT(errorOf("mov.u64 %rd4, variable;"), HasSubstr("there is no variable"));
    EXPECT_THAT(errorOf("mov.u32 %r40, 1;"), HasSubstr("there is no %r40"));
    EXPECT_THAT(errorOf("bar.sync 1;"), HasSubstr("barriers of all threads alone"));
    EXPECT_EQ(errorOf(";;"), "no error");
    EXPECT_THAT(errorOf("bra $nowhere;"), HasSubstr("there is no label $nowhere"));
    EXPECT_THAT(errorOf(".const .b8 table[8];"), HasSubstr("can't read .const"));
    EXPECT_THAT(errorOf("add.s32 %r4, %r1, 1x;"), HasSubstr("can't read the number 1x"));
    Machine machine([](const void*) { return GlobalMemory::Allocation(); });
    EXPECT_THROW(machine.run("k", {{1, 1, 1}, {1, 1, 1}, 0, nullptr}), std::runtime_error);
}

TEST(PtxMachine, NamesOfKernelsAreThoseOfEveryCompilation) {
    const std::string one =
        "_ZN4irmb46_GLOBAL__N__d36cc097_9_pixels_cu_6da8bb3a_305014pixelsToPlanes";
    const std::string two =
        "_ZN4irmb46_GLOBAL__N__11111111_9_pixels_cu_6da8bb3a_999914pixelsToPlanes";
    EXPECT_EQ(stableName(one), stableName(two));
    EXPECT_THAT(stableName(one), HasSubstr("unnamed_pixels_cu14pixelsToPlanes"));
}

} // namespace
} // namespace ptx
