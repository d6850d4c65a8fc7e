#include "accelerate/onednn/tasks.hpp"

#include "cpu/kernels.hpp"
#include "cpu/parallel.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace irmb::accelerate {
namespace {

/// Queries of one task: small enough to balance threads, large enough for the vectors.
constexpr int part_queries = 64;
/// Boxes of one task.
constexpr int part_anchors = 512;

float* floats(const dnnl::memory& memory) {
    return static_cast<float*>(memory.get_data_handle());
}

} // namespace

void ConvolutionTask::run(dnnl::stream&) {
    const MapSize& in = source_.size;
    const MapSize& out = target_.size;
    convolution_->run({source_.memory.get_data_handle(), in.height, in.width,
                       residual_ ? residual_.get_data_handle() : nullptr,
                       target_.memory.get_data_handle(), out.height, out.width, pad_top_,
                       pad_left_},
                      *pool_);
}

void ResizeTask::run(dnnl::stream&) {
    const std::size_t vector = target_.block * target_.element;
    const int rows = target_.size.height;
    cpu::parallelFor(target_.blocks() * rows, [&](const cv::Range& range) {
        for (int i = range.start; i < range.end; ++i) {
            const int block = i / rows;
            const int y = i % rows;
            const std::byte* from =
                source_.at(block, static_cast<std::size_t>(resize_.rows[y]) * source_.size.width);
            std::byte* to = target_.at(block, static_cast<std::size_t>(y) * target_.size.width);
            for (const int x : resize_.cols) {
                std::memcpy(to, from + x * vector, vector);
                to += vector;
            }
        }
    });
}

void CopyTask::run(dnnl::stream&) {
    const auto place = [](const BlockedMap& map, int channel, std::size_t pixel) {
        return map.at(channel / map.block, pixel) + channel % map.block * map.element;
    };
    const std::size_t element = target_.element;
    const std::size_t step = target_.block * element;
    const int end = to_ + count_;
    const int cleared = end == target_.size.channels ? target_.blocks() * target_.block : end;
    cpu::parallelFor(cleared - to_, [&](const cv::Range& range) {
        for (int i = range.start; i < range.end; ++i) {
            std::byte* to = place(target_, to_ + i, 0);
            const std::byte* from = i < count_ ? place(source_, from_ + i, 0) : nullptr;
            for (std::size_t pixel = 0; pixel < target_.pixels(); ++pixel, to += step) {
                if (from)
                    std::memcpy(to, from + pixel * step, element);
                else
                    std::memset(to, 0, element);
            }
        }
    });
}

void BlockTask::run(dnnl::stream&) {
    const auto mat = [](const dnnl::memory& map) {
        const auto dims = map.get_desc().dims();
        return cv::Mat(std::vector<int>(dims.begin(), dims.end()), CV_32F, map.get_data_handle());
    };
    cv::Mat target = mat(target_);
    block_->forward(mat(source_), target);
}

void AttentionTask::run(dnnl::stream&) {
    const int parts = (pixels_ + part_queries - 1) / part_queries;
    for (int head = 0; head < attention_.heads; ++head)
        prepare(head);
    cpu::parallelFor(attention_.heads * parts, [&](const cv::Range& range) {
        for (int i = range.start; i < range.end; ++i)
            attend(i / parts, i % parts);
    });
}

void BoxTailTask::run(dnnl::stream&) {
    const int anchors = static_cast<int>(tail_.scale.size());
    const int parts = (anchors + part_anchors - 1) / part_anchors;
    cpu::parallelFor(parts, [&](const cv::Range& range) {
        for (int i = range.start; i < range.end; ++i) {
            cpu::BoxDecode boxes = {};
            boxes.logits = floats(boxes_);
            boxes.ld = ld_;
            boxes.bins = tail_.bins;
            boxes.distances = tail_.distances.data();
            boxes.first = tail_.first.data();
            boxes.second = tail_.second.data();
            boxes.scale = tail_.scale.data();
            boxes.anchors = anchors;
            boxes.begin = i * part_anchors;
            boxes.end = std::min(anchors, boxes.begin + part_anchors);
            boxes.out = floats(result_);
            cpu::kernels().decodeBoxes(boxes);
        }
    });
    cpu::parallelFor(classes_, [&](const cv::Range& range) {
        for (int i = range.start; i < range.end; ++i)
            cpu::kernels().activate(Activation::Sigmoid, 0.f,
                                    floats(result_) + std::ptrdiff_t{4 + i} * anchors, anchors);
    });
}

/// Scales q and copies v.
void AttentionTask::prepare(int head) const {
    const float scale = attention_.scale * 1.44269504f; // the softmax has the base 2
    float* q = floats(qkv_) + head * headRows() * ld_;
    std::transform(q, q + attention_.dim_key * ld_, q, [=](float x) { return x * scale; });
    const std::ptrdiff_t size = attention_.dim_value * ld_;
    if (values_)
        std::copy_n(q + 2 * attention_.dim_key * ld_, size, floats(values_) + head * size);
}

void AttentionTask::attend(int head, int part) const {
    const std::vector<float> no_padding(std::max(attention_.dim_key, attention_.dim_value));
    std::vector<float> scratch(cpu::kernels().attentionScratch(attention_.dim_value));
    cpu::Attention a = {};
    a.q = floats(qkv_) + head * headRows() * ld_;
    a.k = a.q + attention_.dim_key * ld_;
    a.v = a.k + attention_.dim_key * ld_;
    a.out = floats(result_) + head * attention_.dim_value * ld_;
    a.ld = a.ldv = a.ldo = ld_;
    a.dim_head = attention_.dim_key;
    a.dim_value = attention_.dim_value;
    a.tokens = pixels_;
    a.query_begin = part * part_queries;
    a.query_end = std::min(pixels_, a.query_begin + part_queries);
    a.pad_k = a.pad_v = no_padding.data();
    a.scratch = scratch.data();
    cpu::kernels().attention(a);
}

} // namespace irmb::accelerate
