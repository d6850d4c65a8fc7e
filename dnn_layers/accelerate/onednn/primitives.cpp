#include "accelerate/onednn/primitives.hpp"

#include <opencv2/core.hpp>

#include <cstring>
#include <vector>

namespace irmb::accelerate {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;

/// An activation, or a part of one, in oneDNN's terms.
struct Eltwise {
    algorithm kind;
    float alpha;
    float beta;
};

std::vector<Eltwise> eltwisesOf(Activation act) {
    switch (act) {
    case Activation::None:
        return {};
    case Activation::Relu:
        return {{algorithm::eltwise_relu, 0.f, 0.f}};
    case Activation::Relu6:
        return {{algorithm::eltwise_clip, 0.f, 6.f}};
    case Activation::Silu:
        return {{algorithm::eltwise_swish, 1.f, 0.f}};
    case Activation::Gelu:
        return {{algorithm::eltwise_gelu_erf, 0.f, 0.f}};
    case Activation::HardSwish:
#if DNNL_VERSION_MAJOR >= 3
        return {{algorithm::eltwise_hardswish, 1.f / 6.f, 0.5f}};
#else
        return {{algorithm::eltwise_hardswish, 0.f, 0.f}};
#endif
    case Activation::HardSigmoid:
        return {{algorithm::eltwise_linear, 1.f / 6.f, 0.5f}, {algorithm::eltwise_clip, 0.f, 1.f}};
    case Activation::Sigmoid:
        return {{algorithm::eltwise_logistic, 0.f, 0.f}};
    case Activation::Tanh:
        return {{algorithm::eltwise_tanh, 0.f, 0.f}};
    case Activation::Mish:
        return {{algorithm::eltwise_mish, 0.f, 0.f}};
    case Activation::Prelu:
        break;
    }
    CV_Error(cv::Error::StsInternal, "an activation without a counterpart in oneDNN");
}

void append(dnnl::post_ops& ops, const Eltwise& e) {
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(e.kind, e.alpha, e.beta);
#else
    ops.append_eltwise(1.f, e.kind, e.alpha, e.beta);
#endif
}

void append(dnnl::post_ops& ops, Activation act) {
    for (const Eltwise& e : eltwisesOf(act))
        append(ops, e);
}

dnnl::primitive_attr attributes(const dnnl::post_ops& ops = {}) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attr.set_post_ops(ops);
    return attr;
}

/// Reference implementations are slower than what they would replace.
template <typename Description>
Description fastOnly(Description description) {
    if (description.get(true) && std::strstr(description.impl_info_str(), "ref"))
        return Description();
    return description;
}

} // namespace

int postOpsOf(Activation act) {
    return static_cast<int>(eltwisesOf(act).size());
}

dnnl::convolution_forward::primitive_desc
describeConvolution(const dnnl::engine& engine, const Convolution& conv, const MemoryDesc& source,
                    const MemoryDesc& weight, const MemoryDesc& target, bool residual) {
    dnnl::post_ops ops;
    append(ops, conv.before);
    if (residual)
        ops.append_binary(algorithm::binary_add, target);
    append(ops, conv.after);
    const MemoryDesc bias({target.dims()[1]}, memory::data_type::f32, memory::format_tag::x);
    const memory::dims strides = {conv.stride[0], conv.stride[1]};
    const memory::dims dilations = {conv.dilation[0] - 1, conv.dilation[1] - 1};
    const memory::dims before = {conv.pads[0], conv.pads[1]};
    const memory::dims after = {conv.pads[2], conv.pads[3]};
#if DNNL_VERSION_MAJOR >= 3
    return fastOnly(dnnl::convolution_forward::primitive_desc(
        engine, prop_kind::forward_inference, algorithm::convolution_direct, source, weight, bias,
        target, strides, dilations, before, after, attributes(ops), true));
#else
    const dnnl::convolution_forward::desc what(prop_kind::forward_inference,
                                               algorithm::convolution_direct, source, weight, bias,
                                               target, strides, dilations, before, after);
    return fastOnly(dnnl::convolution_forward::primitive_desc(what, attributes(ops), engine, true));
#endif
}

dnnl::pooling_forward::primitive_desc describeMaxPool(const dnnl::engine& engine,
                                                      const MaxPool& pool, const MemoryDesc& source,
                                                      const MemoryDesc& target) {
    const memory::dims kernel = {pool.kernel[0], pool.kernel[1]};
    const memory::dims strides = {pool.stride[0], pool.stride[1]};
    const memory::dims before = {pool.pads[0], pool.pads[1]};
    const memory::dims after = {pool.pads[2], pool.pads[3]};
#if DNNL_VERSION_MAJOR >= 3
    return fastOnly(dnnl::pooling_forward::primitive_desc(
        engine, prop_kind::forward_inference, algorithm::pooling_max, source, target, strides,
        kernel, {0, 0}, before, after, attributes(), true));
#else
    const dnnl::pooling_forward::desc what(prop_kind::forward_inference, algorithm::pooling_max,
                                           source, target, strides, kernel, before, after);
    return fastOnly(dnnl::pooling_forward::primitive_desc(what, attributes(), engine, true));
#endif
}

dnnl::binary::primitive_desc describeAdd(const dnnl::engine& engine, const MemoryDesc& map,
                                         Activation after) {
    dnnl::post_ops ops;
    append(ops, after);
#if DNNL_VERSION_MAJOR >= 3
    return fastOnly(dnnl::binary::primitive_desc(engine, algorithm::binary_add, map, map, map,
                                                 attributes(ops), true));
#else
    const dnnl::binary::desc what(algorithm::binary_add, map, map, map);
    return fastOnly(dnnl::binary::primitive_desc(what, attributes(ops), engine, true));
#endif
}

dnnl::eltwise_forward::primitive_desc describeActivation(const dnnl::engine& engine, Activation act,
                                                         const MemoryDesc& map) {
    const std::vector<Eltwise> parts = eltwisesOf(act);
    const Eltwise& e = parts.at(0);
    dnnl::post_ops ops;
    for (std::size_t i = 1; i < parts.size(); ++i)
        append(ops, parts[i]);
#if DNNL_VERSION_MAJOR >= 3
    return fastOnly(dnnl::eltwise_forward::primitive_desc(engine, prop_kind::forward_inference,
                                                          e.kind, map, map, e.alpha, e.beta,
                                                          attributes(ops), true));
#else
    const dnnl::eltwise_forward::desc what(prop_kind::forward_inference, e.kind, map, e.alpha,
                                           e.beta);
    return fastOnly(dnnl::eltwise_forward::primitive_desc(what, attributes(ops), engine, true));
#endif
}

} // namespace irmb::accelerate
