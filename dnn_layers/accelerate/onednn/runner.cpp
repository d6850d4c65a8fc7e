#include "accelerate/onednn/primitives.hpp"
#include "accelerate/onednn/tasks.hpp"
#include "accelerate/onednn/threads.hpp"
#include "accelerate/placement.hpp"
#include "accelerate/region_runner.hpp"
#include "cpu/kernels.hpp"
#include "cpu/map_view.hpp"
#include "cpu/thin_convolution.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <mutex>
#include <optional>

namespace irmb::accelerate {
namespace {

using dnnl::memory;
using DataType = memory::data_type;
using Tag = memory::format_tag;

constexpr std::size_t alignment = 64; // bytes: a cache line, and the widest vector

/// The instruction set for oneDNN; the same that OpenCV allows itself.
dnnl::cpu_isa instructionSet() {
    static const bool limited = [] {
        return !cv::checkHardwareSupport(CV_CPU_AVX512_SKX) &&
               dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2) == dnnl::status::success;
    }();
    static_cast<void>(limited);
    return dnnl::get_effective_cpu_isa();
}

bool includes(dnnl::cpu_isa set, dnnl::cpu_isa wanted) {
    return (static_cast<unsigned>(set) & static_cast<unsigned>(wanted)) ==
           static_cast<unsigned>(wanted);
}

int blockSize() {
    return includes(instructionSet(), dnnl::cpu_isa::avx512_core) ? 16 : 8;
}

memory::dims dimsOf(const MapSize& size) {
    return {1, size.channels, size.height, size.width};
}

/// Memory of its own, aligned for the vectors.
class AlignedMemory {
public:
    explicit AlignedMemory(std::size_t bytes) : bytes_(bytes + alignment) {}
    std::byte* data() {
        const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
        return bytes_.data() + (alignment - address % alignment) % alignment;
    }

private:
    std::vector<std::byte> bytes_;
};

/// Weights as oneDNN wants them. They outlive the tasks that use them.
struct PackedStep {
    memory weight;
    memory bias;
    std::shared_ptr<const IrmbCpu> block;
    std::shared_ptr<const cpu::DenseConvolution> convolution;
};

/// Memory that belongs to the caller: it gets its address before each run.
struct Border {
    memory memory_;
    int index = 0;          ///< which input or output it is in; several may be in the same
    std::size_t offset = 0; ///< floats from its beginning
};

/// A region made ready for a number of threads.
struct Program {
    std::vector<std::unique_ptr<Task>> tasks;
    std::vector<Border> inputs;
    std::vector<Border> outputs;
    std::optional<AlignedMemory> arena;
    int threads = 0;
};

/// Prepares a region. The layout of the arena is known only at the end, so the memory of the tasks
/// gets its addresses then.
class ProgramBuilder {
public:
    ProgramBuilder(const Region& region, Precision precision, const dnnl::engine& engine,
                   std::vector<PackedStep>& packed)
        : region_(region),
          engine_(engine),
          type_(precision == Precision::Bfloat16 ? DataType::bf16 : DataType::f32),
          block_(blockSize()),
          placement_(placeValues(region, block_)),
          packed_(packed) {}

    Program build(int threads) {
        program_.threads = threads;
        for (const Buffer& buffer : placement_.buffers)
            pieces_.push_back({mapBytes(buffer.size), buffer.first_step, buffer.last_step});
        for (const Step& step : region_.steps)
            if (std::holds_alternative<BoxTail>(step.operation))
                pieces_[placement_.places[step.outputs[0]].buffer].bytes = 0; // goes straight out
        addTasks();
        std::size_t total = 0;
        const std::vector<std::size_t> offsets = planArena(pieces_, alignment, total);
        program_.arena.emplace(total);
        for (Binding& binding : bindings_)
            binding.memory_.set_data_handle(program_.arena->data() + offsets[binding.piece] +
                                            binding.offset);
        return std::move(program_);
    }

private:
    /// Memory with its place in the arena.
    struct Binding {
        memory memory_;
        std::size_t piece;
        std::size_t offset; ///< bytes
    };

    std::size_t elementBytes() const { return memory::data_type_size(type_); }

    std::size_t mapBytes(const MapSize& size) const {
        const std::size_t blocks = (size.channels + block_ - 1) / block_;
        return blocks * block_ * size.height * size.width * elementBytes();
    }

    memory bind(const MemoryDesc& desc, std::size_t piece, std::size_t offset) {
        const memory bound(desc, engine_, nullptr);
        bindings_.push_back({bound, piece, offset});
        return bound;
    }

    /// Memory that is needed for the step at hand alone.
    memory scratch(const MemoryDesc& desc, std::size_t bytes) {
        pieces_.push_back({bytes, step_, step_});
        return bind(desc, pieces_.size() - 1, 0);
    }

    memory scratch(const MemoryDesc& desc) { return scratch(desc, desc.get_size()); }

    void addTasks() {
        step_ = 0;
        for (std::size_t i = 0; i < region_.inputs.size(); ++i)
            addImport(static_cast<int>(i));
        for (const Step& step : region_.steps) {
            try {
                std::visit([&](const auto& operation) { add(operation, step); }, step.operation);
            } catch (const dnnl::error&) {
                throw UnsupportedStep(step_);
            }
            ++step_;
        }
        for (std::size_t i = 0; i < region_.outputs.size(); ++i)
            addExport(static_cast<int>(i));
    }

    // ---- Values ---------------------------------------------------------------------------------

    MemoryDesc descOf(int value) const { return blocked(dimsOf(region_.values[value])); }

    MemoryDesc blocked(const memory::dims& dims) const {
        return describe(dims, type_, block_ == 16 ? Tag::nChw16c : Tag::nChw8c);
    }

    BlockedMap mapOf(int value) {
        return {memoryOf(value), region_.values[value], block_, elementBytes()};
    }

    memory memoryOf(int value) { return memoryOf(value, descOf(value)); }

    /// The same memory, or what follows some bytes of it, in another description.
    memory memoryOf(int value, const MemoryDesc& desc, std::size_t skipped_bytes = 0) {
        const Place& place = placement_.places[value];
        const MapSize& size = region_.values[value];
        const std::size_t pixels = static_cast<std::size_t>(size.height) * size.width;
        return bind(desc, place.buffer, place.channel * pixels * elementBytes() + skipped_bytes);
    }

    void addPrimitive(const dnnl::primitive& primitive, const MemoryDesc& scratchpad,
                      PrimitiveTask::Arguments arguments) {
        if (scratchpad.get_size() > 0)
            arguments.emplace(DNNL_ARG_SCRATCHPAD, scratch(scratchpad));
        program_.tasks.push_back(std::make_unique<PrimitiveTask>(primitive, std::move(arguments)));
    }

    void addReorder(const memory& source, const memory& target) {
        dnnl::primitive_attr attr;
        attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const dnnl::reorder::primitive_desc desc(engine_, source.get_desc(), engine_,
                                                 target.get_desc(), attr);
        addPrimitive(dnnl::reorder(desc), desc.scratchpad_desc(),
                     {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}});
    }

    // ---- Borders --------------------------------------------------------------------------------

    /// An input as it comes, float32 [1, C, H, W]. The address is set before each run.
    memory external(int input) {
        const MapSize& size = region_.values[region_.inputs[input]];
        const memory map(describe(dimsOf(size), DataType::f32, Tag::nchw), engine_, nullptr);
        program_.inputs.push_back({map, input});
        return map;
    }

    /// Pictures and other thin maps go straight into a convolution, which has a loop of its own for
    /// them.
    bool isThin(int value) const { return region_.values[value].channels <= 4; }

    bool goesStraight(int value, const Step& step) const {
        const Convolution* conv = std::get_if<Convolution>(&step.operation);
        return conv && conv->groups == 1 && step.inputs[0] == value && isThin(value) &&
               inputIndex(value) >= 0;
    }

    int inputIndex(int value) const {
        const auto found = std::find(region_.inputs.begin(), region_.inputs.end(), value);
        return found == region_.inputs.end() ? -1
                                             : static_cast<int>(found - region_.inputs.begin());
    }

    void addImport(int input) {
        const int value = region_.inputs[input];
        for (const Step& step : region_.steps)
            if (std::count(step.inputs.begin(), step.inputs.end(), value) >
                (goesStraight(value, step) ? 1 : 0)) {
                addReorder(external(input), memoryOf(value));
                return;
            }
    }

    /// A part of an output.
    memory outside(int output, const MemoryDesc& desc, std::size_t offset = 0) {
        const memory part(desc, engine_, nullptr);
        program_.outputs.push_back({part, output, offset});
        return part;
    }

    void addExport(int output) {
        const int value = region_.outputs[output];
        if (pieces_[placement_.places[value].buffer].bytes > 0)
            addReorder(memoryOf(value), outside(output, describe(dimsOf(region_.values[value]),
                                                                 DataType::f32, Tag::nchw)));
    }

    // ---- Steps ----------------------------------------------------------------------------------

    template <typename Description>
    void require(const Description& description) const {
        if (!description.get(true))
            throw UnsupportedStep(step_);
    }

    /// With our own kernels where they know it, else with the residual fused where oneDNN can, else
    /// with an addition of its own.
    void add(const Convolution& conv, const Step& step) {
        const bool residual = step.inputs.size() > 1;
        if (addOwnConvolution(conv, step) || addConvolution(conv, step, residual))
            return;
        Convolution alone = conv;
        alone.after = Activation::None;
        if (!residual || !addConvolution(alone, step, false))
            throw UnsupportedStep(step_);
        addSum(step.outputs[0], step.inputs[1], step.outputs[0], conv.after);
    }

    bool addOwnConvolution(const Convolution& conv, const Step& step) {
        const int value = step.inputs[0];
        const bool straight = goesStraight(value, step);
        PackedStep& packed = packed_[step_];
        if (!packed.convolution && cpu::kernels().lanes == block_)
            packed.convolution = makeOwnConvolution(conv, step, straight);
        if (!packed.convolution)
            return false;
        const BlockedMap source =
            straight ? BlockedMap{external(inputIndex(value)), region_.values[value], block_}
                     : mapOf(value);
        program_.tasks.push_back(std::make_unique<ConvolutionTask>(
            packed.convolution, pool_, conv, source,
            step.inputs.size() > 1 ? memoryOf(step.inputs[1]) : memory(), mapOf(step.outputs[0])));
        return true;
    }

    /// `straight`: the input is as it comes, not in blocks.
    std::unique_ptr<const cpu::DenseConvolution>
    makeOwnConvolution(const Convolution& conv, const Step& step, bool straight) const {
        const cpu::DenseConvolution::Shape shape = {region_.values[step.inputs[0]].channels,
                                                    region_.values[step.outputs[0]].channels,
                                                    conv.kernel,
                                                    conv.stride,
                                                    conv.dilation,
                                                    conv.groups};
        const cpu::MapType type =
            type_ == DataType::bf16 ? cpu::MapType::Bfloat16 : cpu::MapType::Float32;
        const float* weight = conv.weight.ptr<float>();
        const float* bias = conv.bias.empty() ? nullptr : conv.bias.ptr<float>();
        if (!straight)
            return cpu::makeDenseConvolution(shape, conv.pads != std::array<int, 4>{}, weight, bias,
                                             conv.before, conv.after, type);
        if (!cpu::ThinConvolution::supports(shape, conv.before, conv.after))
            return nullptr;
        return std::make_unique<cpu::ThinConvolution>(shape, weight, bias, conv.before, conv.after,
                                                      type);
    }

    bool addConvolution(const Convolution& conv, const Step& step, bool residual) {
        const int value = step.inputs[0];
        const bool straight = goesStraight(value, step);
        const MemoryDesc source =
            straight ? describe(dimsOf(region_.values[value]), type_, Tag::any) : descOf(value);
        const int in = region_.values[value].channels;
        const int out = region_.values[step.outputs[0]].channels;
        memory::dims shape = {out, in, conv.kernel[0], conv.kernel[1]};
        if (conv.groups > 1)
            shape = {conv.groups, out / conv.groups, in / conv.groups, conv.kernel[0],
                     conv.kernel[1]};
        const auto desc =
            describeConvolution(engine_, conv, source, describe(shape, type_, Tag::any),
                                descOf(step.outputs[0]), residual);
        if (!desc.get(true))
            return false;
        PackedStep& packed = packed_[step_];
        packWeight(conv, shape, desc.weights_desc(), packed.weight);
        packBias(conv, out, packed.bias);

        PrimitiveTask::Arguments arguments = {
            {DNNL_ARG_SRC, straight ? thinSource(value, desc.src_desc()) : memoryOf(value)},
            {DNNL_ARG_WEIGHTS, packed.weight},
            {DNNL_ARG_BIAS, packed.bias},
            {DNNL_ARG_DST, memoryOf(step.outputs[0])}};
        if (residual)
            arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(postOpsOf(conv.before)) |
                                  DNNL_ARG_SRC_1,
                              memoryOf(step.inputs[1]));
        addPrimitive(dnnl::convolution_forward(desc), desc.scratchpad_desc(), std::move(arguments));
        return true;
    }

    memory thinSource(int value, const MemoryDesc& wanted) {
        const memory plain = external(inputIndex(value));
        if (plain.get_desc() == wanted)
            return plain;
        const memory converted = scratch(wanted);
        addReorder(plain, converted);
        return converted;
    }

    void packWeight(const Convolution& conv, const memory::dims& shape, const MemoryDesc& wanted,
                    memory& packed) const {
        if (packed && packed.get_desc() == wanted)
            return;
        memory source = packed;
        if (!packed) {
            const Tag tag = shape.size() == 5 ? Tag::goihw : Tag::oihw;
            source = memory(describe(shape, DataType::f32, tag), engine_, conv.weight.data);
        }
        const memory target(wanted, engine_);
        dnnl::stream stream(engine_);
        dnnl::reorder(source, target)
            .execute(stream, const_cast<memory&>(source), const_cast<memory&>(target));
        stream.wait();
        packed = target;
    }

    void packBias(const Convolution& conv, int channels, memory& packed) const {
        if (packed)
            return;
        packed = memory(describe({channels}, DataType::f32, Tag::x), engine_);
        float* bias = static_cast<float*>(packed.get_data_handle());
        std::fill_n(bias, channels, 0.f);
        if (!conv.bias.empty())
            std::copy_n(conv.bias.ptr<float>(), channels, bias);
    }

    void add(const MaxPool& pool, const Step& step) {
        const auto desc =
            describeMaxPool(engine_, pool, descOf(step.inputs[0]), descOf(step.outputs[0]));
        require(desc);
        addPrimitive(
            dnnl::pooling_forward(desc), desc.scratchpad_desc(),
            {{DNNL_ARG_SRC, memoryOf(step.inputs[0])}, {DNNL_ARG_DST, memoryOf(step.outputs[0])}});
    }

    void add(const Resize& resize, const Step& step) {
        program_.tasks.push_back(
            std::make_unique<ResizeTask>(resize, mapOf(step.inputs[0]), mapOf(step.outputs[0])));
    }

    void add(const Add&, const Step& step) {
        addSum(step.inputs[0], step.inputs[1], step.outputs[0], Activation::None);
    }

    void addSum(int a, int b, int target, Activation after) {
        const auto desc = describeAdd(engine_, descOf(target), after);
        require(desc);
        addPrimitive(dnnl::binary(desc), desc.scratchpad_desc(),
                     {{DNNL_ARG_SRC_0, memoryOf(a)},
                      {DNNL_ARG_SRC_1, memoryOf(b)},
                      {DNNL_ARG_DST, memoryOf(target)}});
    }

    void add(const Activate& activate, const Step& step) {
        const auto desc = describeActivation(engine_, activate.act, descOf(step.outputs[0]));
        require(desc);
        addPrimitive(
            dnnl::eltwise_forward(desc), desc.scratchpad_desc(),
            {{DNNL_ARG_SRC, memoryOf(step.inputs[0])}, {DNNL_ARG_DST, memoryOf(step.outputs[0])}});
    }

    /// Where channels of `outer` begin in which `inner` lies, or -1 if it lies elsewhere.
    int channelWithin(int inner, int outer) const {
        const Place& a = placement_.places[inner];
        const Place& b = placement_.places[outer];
        return a.buffer == b.buffer ? a.channel - b.channel : -1;
    }

    void add(const Concat&, const Step& step) {
        const int target = step.outputs[0];
        int channel = 0;
        for (const int input : step.inputs) {
            const int count = region_.values[input].channels;
            if (channelWithin(input, target) != channel)
                program_.tasks.push_back(
                    std::make_unique<CopyTask>(mapOf(input), 0, mapOf(target), channel, count));
            channel += count;
        }
    }

    void add(const Split& split, const Step& step) {
        const int source = step.inputs[0];
        for (std::size_t i = 0; i < step.outputs.size(); ++i) {
            const int target = step.outputs[i];
            if (channelWithin(target, source) != split.begin[i])
                program_.tasks.push_back(
                    std::make_unique<CopyTask>(mapOf(source), split.begin[i], mapOf(target), 0,
                                               region_.values[target].channels));
        }
    }

    void add(const Block& block, const Step& step) {
        PackedStep& packed = packed_[step_];
        if (!packed.block)
            packed.block = std::make_shared<IrmbCpu>(block.params, block.weights);
        const auto plain = [&](int value) {
            return scratch(describe(dimsOf(region_.values[value]), DataType::f32, Tag::nchw));
        };
        const memory source = plain(step.inputs[0]);
        const memory target = plain(step.outputs[0]);
        addReorder(memoryOf(step.inputs[0]), source);
        program_.tasks.push_back(std::make_unique<BlockTask>(packed.block, source, target));
        addReorder(target, memoryOf(step.outputs[0]));
    }

    void add(const Attention& attention, const Step& step) {
        const int source = step.inputs[0];
        const MapSize& size = region_.values[source];
        const int pixels = size.height * size.width;
        const std::ptrdiff_t ld = cpu::leadingDimension(pixels);
        const auto rows = [&](int channels) {
            const memory::dim c = channels;
            const MemoryDesc desc({1, c, 1, pixels}, DataType::f32,
                                  memory::dims{c * ld, ld, ld, 1});
            // The kernels may run over the end of the last row.
            return scratch(desc, (c * ld + ld) * sizeof(float));
        };
        const auto flat = [&](int value) {
            return memoryOf(value, blocked({1, region_.values[value].channels, 1, pixels}));
        };
        const int channels = attention.heads * attention.dim_value;
        const bool with_values = step.outputs.size() > 1;
        const memory qkv = rows(size.channels);
        const memory result = rows(channels);
        const memory values = with_values ? rows(channels) : memory();
        addReorder(flat(source), qkv);
        program_.tasks.push_back(
            std::make_unique<AttentionTask>(attention, pixels, ld, qkv, result, values));
        addReorder(result, flat(step.outputs[0]));
        if (with_values)
            addReorder(values, flat(step.outputs[1]));
    }

    /// The logits of the scores go to their rows of the output, where they become scores.
    void add(const BoxTail& tail, const Step& step) {
        const auto found =
            std::find(region_.outputs.begin(), region_.outputs.end(), step.outputs[0]);
        const memory::dim rows = 4 * tail.bins;
        if (found == region_.outputs.end() || rows % block_ != 0)
            throw UnsupportedStep(step_);
        const int output = static_cast<int>(found - region_.outputs.begin());
        const memory::dim anchors = region_.values[step.outputs[0]].width;
        const memory::dim classes = region_.values[step.outputs[0]].channels - 4;
        const std::ptrdiff_t ld = cpu::leadingDimension(static_cast<int>(anchors));
        const std::size_t boxes = pieces_.size();
        pieces_.push_back({(rows + 1) * ld * sizeof(float), step_, step_});
        memory::dim first = 0;
        for (const int value : step.inputs) {
            const MapSize& size = region_.values[value];
            const memory::dim pixels = memory::dim{1} * size.height * size.width;
            const std::size_t skipped = rows * pixels * elementBytes();
            const MemoryDesc box_rows({1, rows, 1, pixels}, DataType::f32,
                                      memory::dims{rows * ld, ld, ld, 1});
            const MemoryDesc score_rows({1, classes, 1, pixels}, DataType::f32,
                                        memory::dims{classes * anchors, anchors, anchors, 1});
            addReorder(memoryOf(value, blocked({1, rows, 1, pixels})),
                       bind(box_rows, boxes, first * sizeof(float)));
            addReorder(memoryOf(value, blocked({1, classes, 1, pixels}), skipped),
                       outside(output, score_rows, 4 * anchors + first));
            first += pixels;
        }
        const MemoryDesc all_boxes({1, rows, 1, ld}, DataType::f32, Tag::nchw);
        const MemoryDesc result({1, 4 + classes, 1, anchors}, DataType::f32, Tag::nchw);
        program_.tasks.push_back(std::make_unique<BoxTailTask>(tail, bind(all_boxes, boxes, 0), ld,
                                                               outside(output, result),
                                                               static_cast<int>(classes)));
    }

    const Region& region_;
    const dnnl::engine& engine_;
    DataType type_;
    int block_;
    Placement placement_;
    std::vector<PackedStep>& packed_;
    std::vector<Piece> pieces_;
    std::vector<Binding> bindings_;
    std::shared_ptr<cpu::BufferPool> pool_ = std::make_shared<cpu::BufferPool>();
    int step_ = 0;
    Program program_;
};

class OneDnnRunner : public RegionRunner {
public:
    OneDnnRunner(Region region, Precision precision)
        : region_(std::move(region)),
          precision_(precision),
          engine_(dnnl::engine::kind::cpu, 0),
          stream_(engine_),
          packed_(region_.steps.size()) {
        prepare(cv::getNumThreads());
        for (Step& step : region_.steps)
            dropWeights(step);
    }

    void run(const std::vector<const float*>& inputs, const std::vector<float*>& outputs) override {
        const std::lock_guard lock(mutex_);
        const int threads = cv::getNumThreads();
        if (program_.threads != threads)
            prepare(threads);
        const RegionThreads scope(threads);
        for (int image = 0; image < region_.batch; ++image) {
            for (Border& border : program_.inputs)
                border.memory_.set_data_handle(const_cast<float*>(inputs[border.index]) +
                                               image * sizeOf(region_.inputs[border.index]));
            for (Border& border : program_.outputs)
                border.memory_.set_data_handle(outputs[border.index] + border.offset +
                                               image * sizeOf(region_.outputs[border.index]));
            for (const auto& task : program_.tasks)
                task->run(stream_);
        }
        stream_.wait();
    }

private:
    /// oneDNN divides the work when it makes a primitive.
    void prepare(int threads) {
        const RegionThreads scope(threads);
        program_ = ProgramBuilder(region_, precision_, engine_, packed_).build(threads);
    }

    static void dropWeights(Step& step) {
        if (Convolution* conv = std::get_if<Convolution>(&step.operation)) {
            conv->weight.release();
            conv->bias.release();
        } else if (Block* block = std::get_if<Block>(&step.operation)) {
            block->weights = {};
        }
    }

    std::size_t sizeOf(int value) const {
        const MapSize& size = region_.values[value];
        return static_cast<std::size_t>(size.channels) * size.height * size.width;
    }

    std::mutex mutex_;
    Region region_;
    Precision precision_;
    dnnl::engine engine_;
    dnnl::stream stream_;
    std::vector<PackedStep> packed_;
    Program program_;
};

} // namespace

RunnerInfo runnerInfo() {
    RunnerInfo info;
    const dnnl::cpu_isa isa = instructionSet();
    if (!includes(isa, dnnl::cpu_isa::avx2)) {
        info.reason = no_avx2;
        return info;
    }
    const dnnl_version_t* version = dnnl_version();
    info.library = cv::format("oneDNN %d.%d.%d", version->major, version->minor, version->patch);
    info.bfloat16 = includes(isa, dnnl::cpu_isa::avx512_core_bf16);
    return info;
}

std::shared_ptr<RegionRunner> makeRunner(Region region, Precision precision) {
    return std::make_shared<OneDnnRunner>(std::move(region), precision);
}

} // namespace irmb::accelerate
