#pragma once

#include "accelerate/region.hpp"
#include "cpu/dense_convolution.hpp"
#include "cpu/irmb_cpu.hpp"

#include <cstddef>
#include <dnnl.hpp>
#include <unordered_map>

/// What a prepared region does, one after the other. Maps are in blocks of channels: element
/// (c, y, x) lies at ((c / block * height + y) * width + x) * block + c % block.
namespace irmb::accelerate {

class Task {
public:
    virtual ~Task() = default;
    virtual void run(dnnl::stream& stream) = 0;
};

/// Any primitive of oneDNN.
class PrimitiveTask : public Task {
public:
    using Arguments = std::unordered_map<int, dnnl::memory>;

    PrimitiveTask(dnnl::primitive primitive, Arguments arguments)
        : primitive_(std::move(primitive)), arguments_(std::move(arguments)) {}

    void run(dnnl::stream& stream) override { primitive_.execute(stream, arguments_); }

private:
    dnnl::primitive primitive_;
    Arguments arguments_;
};

/// A map in memory. The memory may get its address later.
struct BlockedMap {
    dnnl::memory memory;
    MapSize size;
    int block = 16;
    std::size_t element = sizeof(float); ///< bytes

    std::size_t pixels() const { return static_cast<std::size_t>(size.height) * size.width; }
    int blocks() const { return (size.channels + block - 1) / block; }
    /// The vector of channels of one pixel.
    std::byte* at(int first_block, std::size_t pixel) const {
        return static_cast<std::byte*>(memory.get_data_handle()) +
               (first_block * pixels() + pixel) * block * element;
    }
};

/// A dense convolution by our own kernels.
class ConvolutionTask : public Task {
public:
    /// `residual` is empty where there is none.
    ConvolutionTask(std::shared_ptr<const cpu::DenseConvolution> convolution,
                    std::shared_ptr<cpu::BufferPool> pool, const Convolution& parameters,
                    const BlockedMap& source, const dnnl::memory& residual,
                    const BlockedMap& target)
        : convolution_(std::move(convolution)),
          pool_(std::move(pool)),
          pad_top_(parameters.pads[0]),
          pad_left_(parameters.pads[1]),
          source_(source),
          residual_(residual),
          target_(target) {}
    void run(dnnl::stream& stream) override;

private:
    std::shared_ptr<const cpu::DenseConvolution> convolution_;
    std::shared_ptr<cpu::BufferPool> pool_;
    int pad_top_;
    int pad_left_;
    BlockedMap source_;
    dnnl::memory residual_;
    BlockedMap target_;
};

class ResizeTask : public Task {
public:
    ResizeTask(const Resize& resize, const BlockedMap& source, const BlockedMap& target)
        : resize_(resize), source_(source), target_(target) {}
    void run(dnnl::stream& stream) override;

private:
    Resize resize_;
    BlockedMap source_;
    BlockedMap target_;
};

/// Copies a map to channels of another one, or the other way round, where blocks do not match.
class CopyTask : public Task {
public:
    /// Channels [from, from + count) of `source` become [to, to + count) of `target`. Clears what
    /// follows in the last block of `target` if they are its last.
    CopyTask(const BlockedMap& source, int from, const BlockedMap& target, int to, int count)
        : source_(source), target_(target), from_(from), to_(to), count_(count) {}
    void run(dnnl::stream& stream) override;

private:
    BlockedMap source_;
    BlockedMap target_;
    int from_;
    int to_;
    int count_;
};

/// A fused iRMB from one dense map to another, both float32.
class BlockTask : public Task {
public:
    BlockTask(std::shared_ptr<const IrmbCpu> block, const dnnl::memory& source,
              const dnnl::memory& target)
        : block_(std::move(block)), source_(source), target_(target) {}
    void run(dnnl::stream& stream) override;

private:
    std::shared_ptr<const IrmbCpu> block_;
    dnnl::memory source_;
    dnnl::memory target_;
};

/// Global attention between float32 matrices [channels][ld] of pixels.
class AttentionTask : public Task {
public:
    /// `values` receives a copy of v, unless it is empty.
    AttentionTask(const Attention& attention, int pixels, std::ptrdiff_t ld,
                  const dnnl::memory& qkv, const dnnl::memory& result, const dnnl::memory& values)
        : attention_(attention),
          pixels_(pixels),
          ld_(ld),
          qkv_(qkv),
          result_(result),
          values_(values) {}
    void run(dnnl::stream& stream) override;

private:
    /// Rows of q, k and v.
    std::ptrdiff_t headRows() const { return 2 * attention_.dim_key + attention_.dim_value; }
    void prepare(int head) const;
    void attend(int head, int part) const;

    Attention attention_;
    int pixels_;
    std::ptrdiff_t ld_;
    dnnl::memory qkv_;
    dnnl::memory result_;
    dnnl::memory values_;
};

/// What is left of a BoxTail when the logits lie in float32 rows [row][anchors].
class BoxTailTask : public Task {
public:
    /// `boxes`: rows of `ld` floats with room for a vector behind the last; `result`: dense rows,
    /// of which those of the scores hold the logits.
    BoxTailTask(const BoxTail& tail, const dnnl::memory& boxes, std::ptrdiff_t ld,
                const dnnl::memory& result, int classes)
        : tail_(tail), boxes_(boxes), ld_(ld), result_(result), classes_(classes) {}
    void run(dnnl::stream& stream) override;

private:
    BoxTail tail_;
    dnnl::memory boxes_;
    std::ptrdiff_t ld_;
    dnnl::memory result_;
    int classes_;
};

} // namespace irmb::accelerate
