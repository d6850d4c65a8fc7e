#include "operations.hpp"

#include "cuda_stand_in/half.hpp"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace ptx {
namespace {

using stand_in::floatFromHalf;
using stand_in::halfFromDouble;
using stand_in::halfFromFloat;

template <typename T>
T valueOf(std::uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
template <typename T>
std::uint64_t bitsOf(T value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}

template <typename Body>
void forEach(Lanes lanes, Body&& body) {
    for (int lane = 0; lane < warp_size; ++lane)
        if (lanes >> lane & 1u)
            body(lane);
}

std::uint64_t bits(const Operand& operand, const Warp& warp, int lane) {
    return operand.reg < 0 ? operand.constant : warp.registers[operand.reg][lane];
}
template <typename T>
T get(const Operand& operand, const Warp& warp, int lane) {
    return valueOf<T>(bits(operand, warp, lane));
}
std::uint64_t addressOf(const Operand& operand, const Warp& warp, int lane, bool is_wide) {
    if (operand.reg < 0)
        return operand.constant;
    const std::uint64_t base = warp.registers[operand.reg][lane];
    return is_wide ? base + operand.constant : static_cast<std::uint32_t>(base + operand.constant);
}

/// An operation and how many operands it has.
struct Entry {
    Operation operation;
    std::size_t fewest = 0;
    std::size_t most = 0;

    Entry() = default;
    Entry(Operation does, std::size_t operands)
        : operation(std::move(does)), fewest(operands), most(operands) {}
    Entry(Operation does, std::size_t at_least, std::size_t at_most)
        : operation(std::move(does)), fewest(at_least), most(at_most) {}
};
using Table = std::unordered_map<std::string, Entry>;

template <typename... From, typename F, std::size_t... K>
auto call(const F& function, const Instruction& i, const Warp& warp, int lane,
          std::index_sequence<K...> /*numbers*/) {
    return function(get<From>(i.operands[K + 1], warp, lane)...);
}

/// result = function(operands), lane by lane.
template <typename To, typename... From, typename F>
Entry laneWise(F function) {
    return {[function](const Instruction& i, Warp& warp, Block&, Lanes lanes) {
                forEach(lanes, [&](int lane) {
                    warp.registers[i.operands[0].reg][lane] = bitsOf<To>(
                        call<From...>(function, i, warp, lane, std::index_sequence_for<From...>()));
                });
            },
            1 + sizeof...(From)};
}

/// Arithmetic that wraps is that of unsigned numbers.
template <typename T>
void addIntegers(Table& table, const std::string& type) {
    using Wrapping = std::make_unsigned_t<T>;
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    const auto product = [](Wrapping a, Wrapping b) {
        return static_cast<Wrapping>(std::uint64_t{a} * b);
    };
    table["add." + type] = laneWise<Wrapping, Wrapping, Wrapping>(std::plus<Wrapping>());
    table["sub." + type] = laneWise<Wrapping, Wrapping, Wrapping>(std::minus<Wrapping>());
    table["mul.lo." + type] = laneWise<Wrapping, Wrapping, Wrapping>(product);
    table["mad.lo." + type] = laneWise<Wrapping, Wrapping, Wrapping, Wrapping>(
        [product](Wrapping a, Wrapping b, Wrapping c) {
            return static_cast<Wrapping>(product(a, b) + c);
        });
    if constexpr (sizeof(T) < sizeof(Wide))
        table["mul.wide." + type] =
            laneWise<Wide, T, T>([](T a, T b) { return static_cast<Wide>(Wide{a} * b); });
    table["neg." + type] =
        laneWise<Wrapping, Wrapping>([](Wrapping a) { return static_cast<Wrapping>(0u - a); });
    table["min." + type] = laneWise<T, T, T>([](T a, T b) { return std::min(a, b); });
    table["max." + type] = laneWise<T, T, T>([](T a, T b) { return std::max(a, b); });
    const auto requireDivisor = [](T b) {
        if (b == 0)
            throw std::runtime_error("division by 0");
    };
    table["div." + type] = laneWise<T, T, T>([requireDivisor](T a, T b) {
        requireDivisor(b);
        const bool overflows = std::is_signed_v<T> && b == static_cast<T>(-1);
        return overflows ? static_cast<T>(Wrapping{0} - static_cast<Wrapping>(a))
                         : static_cast<T>(a / b);
    });
    table["rem." + type] = laneWise<T, T, T>([requireDivisor](T a, T b) {
        requireDivisor(b);
        const bool overflows = std::is_signed_v<T> && b == static_cast<T>(-1);
        return overflows ? T{0} : static_cast<T>(a % b);
    });
    constexpr std::uint32_t width = 8 * sizeof(T);
    table["shr." + type] = laneWise<T, T, std::uint32_t>([](T a, std::uint32_t by) {
        return static_cast<T>(by < width ? a >> by : a < 0 ? -1 : 0);
    });
}

/// Instructions that know no sign: shifts to the left, logic, choices, moves.
template <typename T>
void addBits(Table& table, const std::string& type) {
    constexpr std::uint32_t width = 8 * sizeof(T);
    table["shl." + type] = laneWise<T, T, std::uint32_t>(
        [](T a, std::uint32_t by) { return static_cast<T>(by < width ? a << by : 0); });
    table["and." + type] = laneWise<T, T, T>(std::bit_and<T>());
    table["or." + type] = laneWise<T, T, T>(std::bit_or<T>());
    table["xor." + type] = laneWise<T, T, T>(std::bit_xor<T>());
    table["not." + type] = laneWise<T, T>([](T a) { return static_cast<T>(~a); });
    if constexpr (sizeof(T) >= 4)
        table["bfi." + type] = {
            [](const Instruction& i, Warp& warp, Block&, Lanes lanes) {
                forEach(lanes, [&](int lane) {
                    const T into = get<T>(i.operands[2], warp, lane);
                    const unsigned place = get<unsigned>(i.operands[3], warp, lane) & 0xffu;
                    const unsigned length = get<unsigned>(i.operands[4], warp, lane) & 0xffu;
                    const T field = place < width
                                        ? (length < width ? (T{1} << length) - 1 : ~T{0}) << place
                                        : 0;
                    const T bits = place < width ? get<T>(i.operands[1], warp, lane) << place : 0;
                    warp.registers[i.operands[0].reg][lane] =
                        bitsOf<T>((into & ~field) | (bits & field));
                });
            },
            5};
}

/// mov, and its forms that take a register apart or put one together.
template <typename T>
Entry move() {
    return {[](const Instruction& i, Warp& warp, Block&, Lanes lanes) {
                const std::size_t parts = i.operands.size() - 1;
                const std::size_t part_bits = 8 * sizeof(T) / parts;
                const std::uint64_t mask =
                    part_bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << part_bits) - 1;
                forEach(lanes, [&](int lane) {
                    if (i.starts_with_vector) {
                        const std::uint64_t whole = bits(i.operands.back(), warp, lane);
                        for (std::size_t p = 0; p < parts; ++p)
                            warp.registers[i.operands[p].reg][lane] =
                                whole >> (p * part_bits) & mask;
                        return;
                    }
                    std::uint64_t whole = 0;
                    for (std::size_t p = 0; p < parts; ++p)
                        whole |= (bits(i.operands[p + 1], warp, lane) & mask) << (p * part_bits);
                    warp.registers[i.operands[0].reg][lane] = whole;
                });
            },
            2, 5};
}

Entry select() {
    return {[](const Instruction& i, Warp& warp, Block&, Lanes lanes) {
                forEach(lanes, [&](int lane) {
                    const bool first = bits(i.operands[3], warp, lane) & 1u;
                    warp.registers[i.operands[0].reg][lane] =
                        bits(i.operands[first ? 1 : 2], warp, lane);
                });
            },
            4};
}

template <typename T, typename F>
void addComparison(Table& table, const std::string& name, const std::string& type, F compare) {
    table["setp." + name + "." + type] =
        laneWise<std::uint8_t, T, T>([compare](T a, T b) -> std::uint8_t { return compare(a, b); });
}

template <typename T>
void addComparisons(Table& table, const std::string& type) {
    addComparison<T>(table, "eq", type, [](T a, T b) { return a == b; });
    addComparison<T>(table, "lt", type, [](T a, T b) { return a < b; });
    addComparison<T>(table, "le", type, [](T a, T b) { return a <= b; });
    addComparison<T>(table, "gt", type, [](T a, T b) { return a > b; });
    addComparison<T>(table, "ge", type, [](T a, T b) { return a >= b; });
    addComparison<T>(table, "ne", type, [](T a, T b) { return a < b || a > b; });
}

/// These hold for what is not a number, too.
template <typename T>
void addUnorderedComparisons(Table& table, const std::string& type) {
    addComparison<T>(table, "equ", type, [](T a, T b) { return !(a < b || a > b); });
    addComparison<T>(table, "neu", type, [](T a, T b) { return a != b; });
    addComparison<T>(table, "ltu", type, [](T a, T b) { return !(a >= b); });
    addComparison<T>(table, "leu", type, [](T a, T b) { return !(a > b); });
    addComparison<T>(table, "gtu", type, [](T a, T b) { return !(a <= b); });
    addComparison<T>(table, "geu", type, [](T a, T b) { return !(a < b); });
}

/// `compute`, rounded as `mode` of <cfenv> says.
template <typename F>
float rounded(int mode, F compute) {
    const int before = std::fegetround();
    std::fesetround(mode);
    const volatile float result = compute();
    std::fesetround(before);
    return result;
}

float flushed(float x) {
    return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.f, x) : x;
}

/// volatile: the rounding mode is not what the compiler expects.
float sumTowardsZero(float a, float b) {
    const volatile float left = a;
    const volatile float right = b;
    return rounded(FE_TOWARDZERO, [&] { return left + right; });
}
float fusedDownwards(float a, float b, float c) {
    const volatile float x = a;
    const volatile float y = b;
    const volatile float z = c;
    return rounded(FE_DOWNWARD, [&] { return std::fma(x, y, z); });
}

/// div.approx: as a GPU has it, nothing is left of divisors this large.
float divideRoughly(float a, float b) {
    const float size = std::fabs(b);
    const bool large = size > 0x1p126f && size < 0x1p128;
    return large ? a * std::copysign(0.f, b) : a / b;
}

/// Arithmetic of halves, rounded once: exact in double up to there.
void addHalves(Table& table) {
    using Half = std::uint16_t;
    const auto two = [&](const char* name, double (*f)(double, double)) {
        table[name] = laneWise<Half, Half, Half>(
            [f](Half a, Half b) { return halfFromDouble(f(floatFromHalf(a), floatFromHalf(b))); });
    };
    two("add.f16", [](double a, double b) { return a + b; });
    two("sub.f16", [](double a, double b) { return a - b; });
    two("mul.f16", [](double a, double b) { return a * b; });
    two("set.eq.f16.f16", [](double a, double b) { return a == b ? 1.0 : 0.0; });
    table["fma.rn.f16"] = laneWise<Half, Half, Half, Half>([](Half a, Half b, Half c) {
        const double product = double{floatFromHalf(a)} * floatFromHalf(b);
        return halfFromDouble(product + floatFromHalf(c));
    });
    table["neg.f16"] = laneWise<Half, Half>([](Half a) { return static_cast<Half>(a ^ 0x8000u); });
    table["abs.f16"] = laneWise<Half, Half>([](Half a) { return static_cast<Half>(a & 0x7fffu); });
    table["setp.lt.f16"] = laneWise<std::uint8_t, Half, Half>(
        [](Half a, Half b) -> std::uint8_t { return floatFromHalf(a) < floatFromHalf(b); });
    table["setp.ge.f16"] = laneWise<std::uint8_t, Half, Half>(
        [](Half a, Half b) -> std::uint8_t { return floatFromHalf(a) >= floatFromHalf(b); });
}

std::int32_t towardsZero(float x) {
    if (std::isnan(x))
        return 0;
    return static_cast<std::int32_t>(std::clamp(double{x}, -0x1p31, 0x1p31 - 1));
}

void addFloats(Table& table) {
    const auto one = [&](const char* name, float (*f)(float)) {
        table[name] = laneWise<float, float>(f);
    };
    const auto two = [&](const char* name, float (*f)(float, float)) {
        table[name] = laneWise<float, float, float>(f);
    };
    two("add.f32", [](float a, float b) { return a + b; });
    two("add.rz.f32", sumTowardsZero);
    two("sub.f32", [](float a, float b) { return a - b; });
    two("mul.f32", [](float a, float b) { return a * b; });
    two("div.rn.f32", [](float a, float b) { return a / b; });
    two("div.approx.f32", divideRoughly);
    // Of two zeros the negative one is the smaller.
    two("min.f32",
        [](float a, float b) { return a == b ? (std::signbit(a) ? a : b) : std::fmin(a, b); });
    two("max.f32",
        [](float a, float b) { return a == b ? (std::signbit(a) ? b : a) : std::fmax(a, b); });
    two("copysign.f32", [](float sign, float magnitude) { return std::copysign(magnitude, sign); });
    table["fma.rn.f32"] = laneWise<float, float, float, float>(
        [](float a, float b, float c) { return std::fma(a, b, c); });
    table["fma.rm.f32"] = laneWise<float, float, float, float>(fusedDownwards);
    one("neg.f32", [](float a) { return -a; });
    one("abs.f32", [](float a) { return std::fabs(a); });
    one("sqrt.rn.f32", [](float a) { return std::sqrt(a); });
    one("rcp.rn.f32", [](float a) { return 1.f / a; });
    one("rcp.approx.ftz.f32", [](float a) { return flushed(1.f / flushed(a)); });
    one("ex2.approx.f32", [](float a) { return std::exp2(a); });
    one("ex2.approx.ftz.f32", [](float a) { return flushed(std::exp2(flushed(a))); });
    one("cvt.sat.f32.f32", [](float a) { return a > 0.f ? std::min(a, 1.f) : 0.f; });
}

template <typename To, typename From>
void addConversion(Table& table, const std::string& name) {
    table["cvt." + name] = laneWise<To, From>([](From a) { return static_cast<To>(a); });
}

void addConversions(Table& table) {
    addConversion<std::int64_t, std::int32_t>(table, "s64.s32");
    addConversion<std::uint64_t, std::uint32_t>(table, "u64.u32");
    addConversion<std::uint32_t, std::uint64_t>(table, "u32.u64");
    addConversion<std::uint16_t, std::uint32_t>(table, "u16.u32");
    addConversion<std::uint32_t, std::uint16_t>(table, "u32.u16");
    addConversion<float, std::int32_t>(table, "rn.f32.s32");
    addConversion<float, std::int64_t>(table, "rn.f32.s64");
    addConversion<float, std::uint16_t>(table, "rn.f32.u16");
    addConversion<float, std::uint32_t>(table, "rn.f32.u32");
    table["cvt.rzi.s32.f32"] = laneWise<std::int32_t, float>(towardsZero);
    table["cvt.rn.f16.s32"] = laneWise<std::uint16_t, std::int32_t>(halfFromDouble);
    table["cvt.f32.f16"] = laneWise<float, std::uint16_t>(floatFromHalf);
    table["cvt.rn.f16.f32"] = laneWise<std::uint16_t, float>(halfFromFloat);
    table["cvt.rn.f16x2.f32"] = laneWise<std::uint32_t, float, float>([](float high, float low) {
        return static_cast<std::uint32_t>(halfFromFloat(high)) << 16 | halfFromFloat(low);
    });
}

using Addresses = std::array<std::uint64_t, warp_size>;

/// What `lanes` ask for; the observer gets to know it.
Addresses addressesOf(const Operand& operand, const Warp& warp, const Block& block, Lanes lanes,
                      Space space, std::size_t bytes) {
    Access access = {space, static_cast<int>(bytes), lanes, {}};
    forEach(lanes, [&](int lane) {
        access.addresses[lane] = addressOf(operand, warp, lane, space != Space::Shared);
    });
    if (block.observer)
        block.observer->accessed(access);
    return access.addresses;
}

void* placeIn(std::vector<unsigned char>& memory, std::uint64_t address, std::size_t bytes) {
    if (address > memory.size() || bytes > memory.size() - address)
        throw std::runtime_error("a thread has no memory at " + std::to_string(address));
    return &memory[address];
}

void readMemory(Space space, Warp& warp, Block& block, int lane, std::uint64_t address, void* to,
                std::size_t bytes) {
    if (space == Space::Shared) {
        block.shared.read(block.accessor(warp, lane), address, to, bytes);
        return;
    }
    const void* from = nullptr;
    if (space == Space::Global)
        from = block.global.at(address, bytes);
    else if (space == Space::Local)
        from = placeIn(warp.local[lane], address, bytes);
    else if (address + bytes <= block.parameters.size())
        from = &block.parameters[address];
    else
        throw std::runtime_error("there is no parameter at " + std::to_string(address));
    std::memcpy(to, from, bytes);
}

void writeMemory(Space space, Warp& warp, Block& block, int lane, std::uint64_t address,
                 const void* from, std::size_t bytes) {
    if (space == Space::Shared)
        block.shared.write(block.accessor(warp, lane), address, from, bytes);
    else if (space == Space::Local)
        std::memcpy(placeIn(warp.local[lane], address, bytes), from, bytes);
    else
        std::memcpy(block.global.at(address, bytes), from, bytes);
}

/// A register may be wider than what is loaded into it: signs go on.
template <typename T>
std::uint64_t widened(T value) {
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>)
        return static_cast<std::uint64_t>(std::int64_t{value});
    else
        return bitsOf<T>(value);
}

/// A load of `count` neighbours.
template <typename T>
Entry load(Space space, int count) {
    return {[space, count](const Instruction& i, Warp& warp, Block& block, Lanes lanes) {
                const std::size_t bytes = count * sizeof(T);
                const Addresses addresses =
                    addressesOf(i.operands[count], warp, block, lanes, space, bytes);
                forEach(lanes, [&](int lane) {
                    T values[4];
                    readMemory(space, warp, block, lane, addresses[lane], values, bytes);
                    for (int k = 0; k < count; ++k)
                        warp.registers[i.operands[k].reg][lane] = widened(values[k]);
                });
            },
            count + std::size_t{1}};
}

template <typename T>
Entry storeTo(Space space, int count) {
    return {[space, count](const Instruction& i, Warp& warp, Block& block, Lanes lanes) {
                const std::size_t bytes = count * sizeof(T);
                const Addresses addresses =
                    addressesOf(i.operands[0], warp, block, lanes, space, bytes);
                forEach(lanes, [&](int lane) {
                    T values[4];
                    for (int k = 0; k < count; ++k)
                        values[k] = get<T>(i.operands[k + 1], warp, lane);
                    writeMemory(space, warp, block, lane, addresses[lane], values, bytes);
                });
            },
            count + std::size_t{1}};
}

template <typename T>
void addMemory(Table& table, const std::string& type) {
    for (const int count : {1, 2, 4}) {
        const std::string vector = count == 1 ? "." : ".v" + std::to_string(count) + ".";
        table["ld.param" + vector + type] = load<T>(Space::Parameter, count);
        table["ld.global" + vector + type] = load<T>(Space::Global, count);
        table["ld.global.nc" + vector + type] = load<T>(Space::Global, count);
        if (sizeof(T) >= SharedMemory::unit_bytes) {
            table["ld.shared" + vector + type] = load<T>(Space::Shared, count);
            table["st.shared" + vector + type] = storeTo<T>(Space::Shared, count);
        }
        table["ld.local" + vector + type] = load<T>(Space::Local, count);
        table["st.global" + vector + type] = storeTo<T>(Space::Global, count);
        table["st.local" + vector + type] = storeTo<T>(Space::Local, count);
    }
}

Entry atomicAdd(Space space) {
    return {[space](const Instruction& i, Warp& warp, Block& block, Lanes lanes) {
                const Addresses addresses =
                    addressesOf(i.operands[1], warp, block, lanes, space, sizeof(std::uint32_t));
                forEach(lanes, [&](int lane) {
                    const auto term = get<std::uint32_t>(i.operands[2], warp, lane);
                    const auto add = [&](void* at) {
                        std::uint32_t before;
                        std::memcpy(&before, at, sizeof before);
                        const std::uint32_t after = before + term;
                        std::memcpy(at, &after, sizeof after);
                        warp.registers[i.operands[0].reg][lane] = before;
                    };
                    if (space == Space::Shared)
                        block.shared.atomic(block.accessor(warp, lane), addresses[lane],
                                            sizeof term, add);
                    else
                        add(block.global.at(addresses[lane], sizeof term));
                });
            },
            3};
}

void requireWholeWarp(Lanes lanes) {
    if (lanes != all_lanes)
        throw std::runtime_error("some lanes of the warp do not come to this instruction");
}

/// shfl.sync: what another lane has, whose number is that of this one, changed by the third
/// operand; or what this one has, beyond the bound that the fourth one sets. (PTX ISA,
/// "shfl.sync".)
enum class Shuffle { Butterfly, Up };
Entry shuffle(Shuffle how) {
    return {[how](const Instruction& i, Warp& warp, Block&, Lanes lanes) {
                const bool has_predicate = i.operands.size() == 6;
                const Operand* const source = &i.operands[has_predicate ? 2 : 1];
                requireWholeWarp(lanes & static_cast<Lanes>(bits(source[3], warp, 0)));
                Register before;
                for (int lane = 0; lane < warp_size; ++lane)
                    before[lane] = bits(source[0], warp, lane);
                forEach(lanes, [&](int lane) {
                    const int change = static_cast<int>(bits(source[1], warp, lane)) & 31;
                    const int clamp = static_cast<int>(bits(source[2], warp, lane));
                    const int segment = clamp >> 8 & 31;
                    const int bound = (lane & segment) | (clamp & 31 & ~segment);
                    const int from = how == Shuffle::Up ? lane - change : lane ^ change;
                    const bool valid = how == Shuffle::Up ? from >= bound : from <= bound;
                    warp.registers[i.operands[0].reg][lane] = before[valid ? from : lane];
                    if (has_predicate)
                        warp.registers[i.operands[1].reg][lane] = valid;
                });
            },
            5, 6};
}

/// ldmatrix ...m8n8: `count` matrices of 8 rows of 16 bytes, row r of matrix m being at the address
/// of lane 8 m + r. Lane l gets the elements 2 (l % 4) and the next of row l / 4, or, transposed,
/// of column l / 4. (PTX ISA, "ldmatrix".)
Entry loadMatrices(int count, bool transposed) {
    return {[count, transposed](const Instruction& i, Warp& warp, Block& block, Lanes lanes) {
                requireWholeWarp(lanes);
                std::uint16_t matrices[4][8][8]; // registers of addresses may be those of results
                for (int m = 0; m < count; ++m) {
                    auto& matrix = matrices[m];
                    const Addresses addresses =
                        addressesOf(i.operands[count], warp, block, Lanes{0xff} << (8 * m),
                                    Space::Shared, sizeof matrix[0]);
                    for (int row = 0; row < 8; ++row) {
                        const int lane = 8 * m + row;
                        block.shared.read(block.accessor(warp, lane), addresses[lane], matrix[row],
                                          sizeof matrix[0]);
                    }
                }
                for (int m = 0; m < count; ++m) {
                    const auto& matrix = matrices[m];
                    forEach(lanes, [&](int lane) {
                        const int a = lane / 4;
                        const int b = lane % 4 * 2;
                        const std::uint32_t low = transposed ? matrix[b][a] : matrix[a][b];
                        const std::uint32_t high = transposed ? matrix[b + 1][a] : matrix[a][b + 1];
                        warp.registers[i.operands[m].reg][lane] = high << 16 | low;
                    });
                }
            },
            count + std::size_t{1}};
}

float halfOf(std::uint64_t pair, int which) {
    return floatFromHalf(static_cast<std::uint16_t>(pair >> (16 * which)));
}

/// mma.m16n8k8 and m16n8k16 of halves, summed in float: d = a b + c. With g = lane / 4 and
/// t = lane % 4, element j of a lane's part (PTX ISA, "Matrix Fragments for mma.m16n8k16") is
///   of a: row g + 8 (j / 2 % 2), column 2t + j % 2 + 8 (j / 4);
///   of b: row 2t + j % 2 + 8 (j / 2), column g;
///   of c and d: row g + 8 (j / 2), column 2t + j % 2.
Entry multiplyMatrices(int depth) {
    return {[depth](const Instruction& i, Warp& warp, Block&, Lanes lanes) {
                requireWholeWarp(lanes);
                const Operand* d = i.operands.data();
                const Operand* a = d + 4;
                const Operand* b = a + depth / 4;
                const Operand* c = b + depth / 8;
                float rows[16][16];
                float columns[16][8];
                for (int lane = 0; lane < warp_size; ++lane) {
                    const int g = lane / 4;
                    const int t = lane % 4;
                    for (int j = 0; j < depth / 2; ++j)
                        rows[g + 8 * (j / 2 % 2)][2 * t + j % 2 + 8 * (j / 4)] =
                            halfOf(bits(a[j / 2], warp, lane), j % 2);
                    for (int j = 0; j < depth / 4; ++j)
                        columns[2 * t + j % 2 + 8 * (j / 2)][g] =
                            halfOf(bits(b[j / 2], warp, lane), j % 2);
                }
                for (int lane = 0; lane < warp_size; ++lane) {
                    float sums[4]; // the registers of c may be those of d
                    for (int j = 0; j < 4; ++j) {
                        sums[j] = get<float>(c[j], warp, lane);
                        for (int k = 0; k < depth; ++k)
                            sums[j] += rows[lane / 4 + 8 * (j / 2)][k] *
                                       columns[k][2 * (lane % 4) + j % 2];
                    }
                    for (int j = 0; j < 4; ++j)
                        warp.registers[d[j].reg][lane] = bitsOf(sums[j]);
                }
            },
            8 + depth / std::size_t{4} + depth / std::size_t{8}};
}

void addPredicates(Table& table) {
    using Bit = std::uint8_t;
    table["and.pred"] = laneWise<Bit, Bit, Bit>(std::bit_and<Bit>());
    table["or.pred"] = laneWise<Bit, Bit, Bit>(std::bit_or<Bit>());
    table["xor.pred"] = laneWise<Bit, Bit, Bit>(std::bit_xor<Bit>());
    table["not.pred"] = laneWise<Bit, Bit>([](Bit a) -> Bit { return !(a & 1); });
    table["mov.pred"] = laneWise<Bit, Bit>([](Bit a) { return a; });
}

template <typename Unsigned>
void addWidth(Table& table, const std::string& bits) {
    using Signed = std::make_signed_t<Unsigned>;
    addIntegers<Unsigned>(table, "u" + bits);
    addIntegers<Signed>(table, "s" + bits);
    addComparisons<Unsigned>(table, "u" + bits);
    addComparisons<Signed>(table, "s" + bits);
    addComparisons<Unsigned>(table, "b" + bits);
    addBits<Unsigned>(table, "b" + bits);
    for (const char* kind : {"b", "u", "s"}) {
        table["mov." + (kind + bits)] = move<Unsigned>();
        table["selp." + (kind + bits)] = select();
    }
    addMemory<Unsigned>(table, "b" + bits);
    addMemory<Unsigned>(table, "u" + bits);
    addMemory<Signed>(table, "s" + bits);
}

Table makeTable() {
    Table table;
    addWidth<std::uint16_t>(table, "16");
    addWidth<std::uint32_t>(table, "32");
    addWidth<std::uint64_t>(table, "64");
    addMemory<std::uint8_t>(table, "u8");
    addMemory<std::uint8_t>(table, "b8");
    addMemory<std::int8_t>(table, "s8");
    addMemory<float>(table, "f32");
    table["mov.f32"] = move<float>();
    table["selp.f32"] = select();
    addComparisons<float>(table, "f32");
    addUnorderedComparisons<float>(table, "f32");
    addFloats(table);
    addHalves(table);
    addConversions(table);
    addPredicates(table);
    for (const char* name : {"cvta.to.global.u64", "cvta.to.local.u64", "cvta.local.u64"})
        table[name] = move<std::uint64_t>(); // a generic address is used as what it was made of
    table["atom.global.add.u32"] = atomicAdd(Space::Global);
    table["atom.shared.add.u32"] = atomicAdd(Space::Shared);
    table["shfl.sync.bfly.b32"] = shuffle(Shuffle::Butterfly);
    table["shfl.sync.up.b32"] = shuffle(Shuffle::Up);
    for (const int count : {1, 2, 4}) {
        const std::string name = "ldmatrix.sync.aligned.m8n8.x" + std::to_string(count);
        table[name + ".shared.b16"] = loadMatrices(count, false);
        table[name + ".trans.shared.b16"] = loadMatrices(count, true);
    }
    for (const int depth : {8, 16})
        table["mma.sync.aligned.m16n8k" + std::to_string(depth) + ".row.col.f32.f16.f16.f32"] =
            multiplyMatrices(depth);
    return table;
}

} // namespace

const Operation& operationOf(const Instruction& instruction) {
    static const Table table = makeTable();
    const auto found = table.find(instruction.mnemonic);
    const std::size_t operands = instruction.operands.size();
    if (found == table.end() || operands < found->second.fewest || operands > found->second.most)
        throw std::runtime_error("PTX, line " + std::to_string(instruction.line) +
                                 ": the machine does not know " + instruction.mnemonic + " of " +
                                 std::to_string(operands) + " operands");
    return found->second.operation;
}

} // namespace ptx
