#pragma once
#include <functional>
#include <map>
#include <string>
#include <typeindex>
#include <utility>

#include "core/fields.h"

namespace voxgrad {

// What a layer of a network has computed.
struct LayerOutput {
  std::string name;  // its path, as parameters are named: "encoder.0.blocks.1.conv"; of the network itself ""
  std::string type;  // "Conv3d"
  Tensor output;     // of a norm: with the skip and the activation that it computes on the way
};

// While alive, `hook` is called on this thread with what each layer of `net` computes, in the order of computation (a block after what it
// consists of): to look at shapes, keep features, or take gradients of them. The hook returns nothing, or a tensor that takes the place of
// the output. For Grad-CAM, a leaf that has a gradient after backward:
//   Tensor features;
//   const ForwardHooks scope(net, [&](const LayerOutput& o) {
//     return o.name == "encoder" ? features = o.output.detach().require_grad() : Tensor{};
//   });
// `net` must stay where it is meanwhile; copies of it do not report. Scopes nest: the inner one is called first. Norms are then stored
// where convolutions else normalise what they read, so that results may differ by rounding.
class ForwardHooks {
 public:
  template <class M, class F>
  ForwardHooks(M& net, F hook) : ForwardHooks(names_of(net), hook_of(std::move(hook))) {}
  ~ForwardHooks();
  ForwardHooks(const ForwardHooks&) = delete;

  static bool active();
  // What layers say: their output, or what a hook has put in its place. hooked(*this, y) says it.
  static Tensor report(const void* address, const std::type_info&, Tensor output);

 private:
  using Key = std::pair<const void*, std::type_index>;
  using Names = std::map<Key, std::string>;
  using Hook = std::function<Tensor(const LayerOutput&)>;
  ForwardHooks(Names, Hook);

  template <class M>
  static Names names_of(M& net) {
    struct Naming : FieldVisitor {
      Names names;
      void module(const std::string& path, const void* address, const std::type_info& type) override {
        names.emplace(Key{address, type}, path);
      }
    } naming;
    visit_fields(net, naming);
    return std::move(naming.names);
  }
  template <class F>
  static Hook hook_of(F f) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const LayerOutput&>>)
      return [f = std::move(f)](const LayerOutput& o) mutable {
        f(o);
        return Tensor{};
      };
    else return Hook(std::move(f));
  }

  Names names_;
  Hook hook_;
  ForwardHooks* around_;
};

// The last line of a layer's operator(): `return hooked(*this, y);`.
template <class Layer>
Tensor hooked(const Layer& layer, Tensor output) {
  return ForwardHooks::active() ? ForwardHooks::report(&layer, typeid(Layer), std::move(output)) : output;
}

}  // namespace voxgrad
