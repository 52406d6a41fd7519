#pragma once
#include "core/dtype.h"

namespace voxgrad {

// Two boxes of six numbers each. U = A + B - I is the union, H the hull.
template <class T>
struct BoxPair {
  const T *a, *b;

  VOXGRAD_HD static T positive(T v) { return v > T(0) ? v : T(0); }
  VOXGRAD_HD static T ratio(T part, T whole) { return whole > T(0) ? part / whole : T(0); }
  VOXGRAD_HD static T low(T x, T y) { return x < y ? x : y; }
  VOXGRAD_HD static T high(T x, T y) { return x < y ? y : x; }

  VOXGRAD_HD static T length(const T* box, int axis) { return positive(box[3 + axis] - box[axis]); }
  VOXGRAD_HD static T volume(const T* box) { return length(box, 0) * length(box, 1) * length(box, 2); }
  VOXGRAD_HD T overlap(int axis) const { return positive(low(a[3 + axis], b[3 + axis]) - high(a[axis], b[axis])); }
  VOXGRAD_HD T span(int axis) const { return positive(high(a[3 + axis], b[3 + axis]) - low(a[axis], b[axis])); }

  // A box without a volume overlaps nothing.
  VOXGRAD_HD T intersection() const {
    const T i = overlap(0) * overlap(1) * overlap(2);
    return volume(a) > T(0) && volume(b) > T(0) ? i : T(0);
  }
  VOXGRAD_HD T united() const { return volume(a) + volume(b) - intersection(); }
  VOXGRAD_HD T hull() const { return span(0) * span(1) * span(2); }
  VOXGRAD_HD T iou() const { return ratio(intersection(), united()); }
  VOXGRAD_HD T giou() const {
    const T h = hull();
    return iou() - ratio(h - united(), h);
  }

  // Adds g times the derivatives of 1 - giou, with L = 2 - I / U - U / H:
  // dL/dI = 1/H - 1/U - I/U^2, dL/dA = dL/dB = I/U^2 - 1/H, dL/dH = U/H^2.
  VOXGRAD_HD void add_gradient(T g, T* ga, T* gb) const {
    const T i = intersection(), u = united(), h = hull();
    const T of_i = ratio(T(1), h) - ratio(T(1), u) - ratio(i, u * u), of_volume = ratio(i, u * u) - ratio(T(1), h), of_h = ratio(u, h * h);
    for (int axis = 0; axis < 3; ++axis) {
      const int p = (axis + 1) % 3, q = (axis + 2) % 3;
      const T sa = a[3 + axis] > a[axis] ? length(a, p) * length(a, q) : T(0);
      const T sb = b[3 + axis] > b[axis] ? length(b, p) * length(b, q) : T(0);
      const T si = i > T(0) ? overlap(p) * overlap(q) : T(0), sh = span(axis) > T(0) ? span(p) * span(q) : T(0);
      const bool lower_of_a = a[axis] >= b[axis], upper_of_a = a[3 + axis] <= b[3 + axis];  // whose edge bounds the intersection
      if (ga) {
        ga[axis] -= g * (of_volume * sa + (lower_of_a ? of_i * si : of_h * sh));
        ga[3 + axis] += g * (of_volume * sa + (upper_of_a ? of_i * si : of_h * sh));
      }
      if (gb) {
        gb[axis] -= g * (of_volume * sb + (lower_of_a ? of_h * sh : of_i * si));
        gb[3 + axis] += g * (of_volume * sb + (upper_of_a ? of_h * sh : of_i * si));
      }
    }
  }
};

}  // namespace voxgrad
