#pragma once

#include "accelerate/region.hpp"

#include <dnnl.hpp>

/// Descriptions of oneDNN's primitives, in the interfaces of oneDNN 2.6 and 3.x. All take their
/// scratchpad from the caller. Empty where oneDNN has nothing fast for the parameters.
namespace irmb::accelerate {

using MemoryDesc = dnnl::memory::desc;

/// A tensor of `dims` in a dense layout.
inline MemoryDesc describe(const dnnl::memory::dims& dims, dnnl::memory::data_type type,
                           dnnl::memory::format_tag tag) {
    return {dims, type, tag};
}

/// How many operations behind a convolution an activation takes.
int postOpsOf(Activation act);

dnnl::convolution_forward::primitive_desc
describeConvolution(const dnnl::engine& engine, const Convolution& conv, const MemoryDesc& source,
                    const MemoryDesc& weight, const MemoryDesc& target, bool residual);

dnnl::pooling_forward::primitive_desc describeMaxPool(const dnnl::engine& engine,
                                                      const MaxPool& pool, const MemoryDesc& source,
                                                      const MemoryDesc& target);

/// after(a + b)
dnnl::binary::primitive_desc describeAdd(const dnnl::engine& engine, const MemoryDesc& map,
                                         Activation after = Activation::None);

dnnl::eltwise_forward::primitive_desc describeActivation(const dnnl::engine& engine, Activation act,
                                                         const MemoryDesc& map);

} // namespace irmb::accelerate
