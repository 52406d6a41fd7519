#pragma once
#include "core/device/parallel.h"
#include "kernels/conv3d/direct/direct.h"

namespace voxgrad {

// A bf16 convolution as one of pairs of inputs, which the processor multiplies at twice the rate: the bits of a pair are those of an f32.
// The weights are rounded to bf16.
struct PairedGather {
  static constexpr int64_t kFewOutputs = 8;  // below which pairs do not pay
  ConvGather g;
  ConvInput x;
  ConvScratch<float> weight;
  View w;

  static bool is_possible(const ConvGather& g, const ConvInput& x) {
    return isa() >= Isa::avx512_bf16 && x.whole() && x.dtype() == DType::bf16 && !g.depthwise && g.inputs % 2 == 0 &&
           g.outputs >= kFewOutputs;
  }
  PairedGather(const ConvGather& of, const ConvInput& in, View w_in)
      : g(of),
        x({in.whole().data, DType::f32}, of.in_channels / 2),
        weight(of.in_channels / 2 * of.outputs * of.taps()),
        w{weight.data(), DType::f32} {
    g.in_channels /= 2;
    g.inputs /= 2;
    // Outputs stay where they are contiguous, else inputs: loads and stores of the inner loop are then too.
    const bool outputs_inside = of.w_output == 1;
    const int64_t inner = outputs_inside ? g.outputs : g.inputs, outer = outputs_inside ? g.inputs : g.outputs;
    g.w_slice = g.taps() * inner * outer;
    g.w_tap = inner;
    (outputs_inside ? g.w_output : g.w_input) = 1;
    (outputs_inside ? g.w_input : g.w_output) = g.taps() * inner;
    parallel_for(g.slices * outer, 1 + (1 << 14) / (g.taps() * inner), [&](int64_t i) {
      const int64_t from_outer = outputs_inside ? 2 * of.w_input : of.w_output;
      for (int64_t t = 0; t < g.taps(); ++t) {
        const float* from = w_in.as<float>() + i / outer * of.w_slice + i % outer * from_outer + t * of.w_tap;
        float* to = weight.data() + (i * g.taps() + t) * inner;
        direct_kernels::avx512_bf16::make_pairs(from, from + of.w_input, outputs_inside ? 1 : 2, to, inner);
      }
    });
  }
};

}  // namespace voxgrad
