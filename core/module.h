#pragma once
#include <map>
#include <utility>

#include "core/fields.h"

// What is done to a module as a whole.
namespace voxgrad {

namespace detail {
// What replaces tensors: one that several fields share is replaced by one.
class Replacements {
 public:
  template <class F>
  void replace(Tensor& t, F&& made_of) {
    const bool wanted = t.requires_grad();
    Made& made = made_[t.view().data];
    if (t.count() == 0 || !made.of || made.of.shape() != t.shape() || made.of.dtype() != t.dtype()) {
      made.of = t.detach();
      made.by = made_of(made.of);
      made.by.require_grad(wanted);
    }
    t = made.by;
    if (t.requires_grad() != wanted) t.require_grad(wanted);
  }

 private:
  struct Made {
    Tensor of, by;  // `of` is held, so that its address is not another's meanwhile
  };
  std::map<const void*, Made> made_;
};

// Gives all tensors of m, of which m is a copy, memory of their own.
template <class M>
void separate(M& m, Replacements& replacements) {
  if constexpr (is_leaf<M>) {
    if constexpr (!std::is_same_v<M, Mode>)
      if (m) replacements.replace(m, [](const Tensor& t) { return t.clone(); });
  } else if constexpr (OwnWalk<M>) {
    if constexpr (requires { M(std::as_const(m).clone()); }) m = std::as_const(m).clone();
    else walk(m, [&](const std::string&, Tensor& t) { replacements.replace(t, [](const Tensor& u) { return u.clone(); }); });
  } else {
    for_each_part(m, "", [&](const std::string&, auto& part) { separate(part, replacements); });
  }
}
}  // namespace detail

// A copy with weights and buffers of its own, where a plain copy shares them. Gradients are not copied; what several fields share in the
// module they share in the copy.
template <class M>
M clone(const M& m) {
  M copy = m;
  detail::Replacements replacements;
  detail::separate(copy, replacements);
  return copy;
}

// Moves the tensors of a module to a device; what required a gradient still does.
template <class M>
void move_to(M& m, Device d) {
  detail::Replacements replacements;
  walk(m, [&](const std::string&, Tensor& t) {
    if (t.device() != d) replacements.replace(t, [&](const Tensor& u) { return u.to(d); });
  });
}

namespace detail {
template <class M, class F>
void for_each_mode(M& m, F&& f) {
  struct Each : FieldVisitor {
    F& f;
    explicit Each(F& each) : f(each) {}
    void mode(const std::string&, Mode& mode) override { f(mode); }
  } each(f);
  visit_fields(m, each);
}
}  // namespace detail

// The parameters of a frozen module get no gradients, and none are computed for them; its batch norms use their running statistics and
// leave them as they are. freeze(m, false) thaws all its parameters.
template <class M>
void freeze(M& m, bool frozen = true) {
  walk(m, [&](const std::string&, Tensor& t, FieldKind kind) { t.require_grad(!frozen && kind == FieldKind::parameter); });
  detail::for_each_mode(m, [&](Mode& mode) { mode.frozen = frozen; });
}

// eval(net.encoder): this part behaves as at inference (batch norm uses its running statistics, nothing is dropped) and still gets
// gradients; train(net.encoder) ends that. As PyTorch's methods of these names.
template <class M>
void eval(M& m) {
  detail::for_each_mode(m, [](Mode& mode) { mode.evaluating = true; });
}
template <class M>
void train(M& m) {
  detail::for_each_mode(m, [](Mode& mode) { mode.evaluating = false; });
}

}  // namespace voxgrad
