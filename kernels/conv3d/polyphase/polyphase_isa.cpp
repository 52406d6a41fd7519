#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/polyphase/polyphase_isa.h"

namespace voxgrad::polyphase_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"

#include "kernels/conv3d/polyphase/polyphase_axis.h"

template <class A>
void inputs(const A* columns, int64_t column_step, int64_t rows, A* to, int64_t product_step) {
  for (int64_t r = 0; r < rows; r += kLanes<A>) {
    Vector<A> even[7], odd[6], u[7];
#pragma GCC unroll 7
    for (int i = 0; i < 7; ++i) even[i] = load(columns + 2 * i * column_step + r);
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) odd[i] = load(columns + (2 * i + 1) * column_step + r);
    inputs_at_points<A>(even, u);
    u[6] = input_at_infinity<A>(even);
#pragma GCC unroll 7
    for (int f = 0; f < 7; ++f) store(to + 2 * f * product_step + r, u[f]);
    inputs_at_points<A>(odd, u);
#pragma GCC unroll 6
    for (int f = 0; f < 6; ++f) store(to + (2 * f + 1) * product_step + r, u[f]);
  }
}

template <class A>
void outputs(const A* m, int64_t frequency_step, int64_t vectors, const A* bias, A* y, int64_t y_step) {
  for (int64_t k = 0; k < vectors * kLanes<A>; k += kLanes<A>) {
    Vector<A> u[7], out[4];
#pragma GCC unroll 7
    for (int f = 0; f < 7; ++f) u[f] = load(m + f * frequency_step + k);
    phase_outputs<A>(u, out);
    const Vector<A> start = load(bias + k);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) store(y + i * y_step + k, start + out[i]);
  }
}

template <class A>
void weights(const A* w, const int64_t* offset, A* u, int64_t step) {
  Vector<A> even[4], odd[4], of_even[7], of_odd[7];
  for (int s = 0; s < 4; ++s) even[s] = load(w + offset[2 * s]);
  for (int s = 0; s < 3; ++s) odd[s] = load(w + offset[2 * s + 1]);
  odd[3] = Vector<A>{};
  phase_weights<A>(even, of_even);
  phase_weights<A>(odd, of_odd);
  for (int f = 0; f < 7; ++f) store(u + 2 * f * step, of_even[f]);
  for (int f = 0; f < 6; ++f) store(u + (2 * f + 1) * step, of_odd[f]);
}

template <class A>
void gradients(const A* gy, int64_t y_step, int64_t vectors, A* to, int64_t frequency_step) {
  for (int64_t k = 0; k < vectors * kLanes<A>; k += kLanes<A>) {
    const Vector<A> g[4] = {load(gy + k), load(gy + y_step + k), load(gy + 2 * y_step + k), load(gy + 3 * y_step + k)};
    Vector<A> u[7];
    phase_gradients<A>(g, u);
#pragma GCC unroll 7
    for (int f = 0; f < 7; ++f) store(to + f * frequency_step + k, u[f]);
  }
}

template <class A>
void restore(const A* u, int64_t step, A* w, int64_t w_step) {
  Vector<A> of_even[7], of_odd[7], even[4], odd[4];
  for (int f = 0; f < 7; ++f) of_even[f] = load(u + 2 * f * step);
  for (int f = 0; f < 6; ++f) of_odd[f] = load(u + (2 * f + 1) * step);
  of_odd[6] = Vector<A>{};
  phase_restore<A>(of_even, even);
  phase_restore<A>(of_odd, odd);
  for (int s = 0; s < 4; ++s) store(w + 2 * s * w_step, even[s]);
  for (int s = 0; s < 3; ++s) store(w + (2 * s + 1) * w_step, odd[s]);
}

template <class A>
PolyphaseIsa<A> kernels() {
  return {inputs<A>, outputs<A>, weights<A>, gradients<A>, restore<A>};
}
template PolyphaseIsa<float> kernels();
template PolyphaseIsa<double> kernels();
}  // namespace voxgrad::polyphase_kernels::VOXGRAD_ISA_NAMESPACE
