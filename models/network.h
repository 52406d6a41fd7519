#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/fields.h"
#include "core/forward_hooks.h"
#include "core/shape.h"

namespace voxgrad {

// What a network takes and gives.
struct NetworkTraits {
  int in_channels = 1, out_channels = 1;  // out_channels: of its first output
  Int3 divisor = {1, 1, 1};               // the extents of an input must be multiples of it
  // Extents of outputs: true, those of the input, as a U-Net's; false, none, {N, out_channels}, as a classifier's.
  bool dense = true;
};

// A stage of a network that is the encoder of another one.
struct EncoderStage {
  int channels = 1;
  Int3 stride = {1, 1, 1};  // voxels of the input for each of its features, along each axis
  Int3 kernel = {3, 3, 3};  // of convolutions that go on from it
};
// Of stages whose strides are those from the one before.
std::vector<EncoderStage> joined_stages(std::vector<EncoderStage>);

// The prediction for one image, computed where it is asked for: what a network with many outputs gives for a patch is large.
struct SlabOutputs {
  int64_t channels = 0;
  std::function<Tensor(int64_t begin, int64_t end)> rows;  // planes [begin, end) along D: {1, end - begin, H, W, channels}
};

namespace detail {
struct AnyModule {
  virtual ~AnyModule() = default;
  virtual std::vector<Tensor> forward(const Tensor& x) const = 0;
  virtual bool has_slabs() const = 0;
  virtual SlabOutputs in_slabs(const Tensor& x) const = 0;
  virtual void visit(FieldVisitor&, const std::string& path) = 0;
  virtual std::shared_ptr<AnyModule> clone() const = 0;
};
}  // namespace detail

// A network of any type. It is a module: parameters(), state_of(), move_to(), freeze(), eval() and checkpoints work on it. A copy shares
// the weights, clone() does not.
class Network {
 public:
  Network() = default;  // none: false
  // M: with FIELDS, copies of which share their weights, and operator()(const Tensor&) const that gives a Tensor or several, the first of
  // which is the prediction. config: JSON of which build_network makes such a network.
  template <class M>
  Network(M module, const NetworkTraits& traits, std::string config);

  explicit operator bool() const { return module_ != nullptr; }
  // x {N, D, H, W, in_channels}: the outputs, the prediction first. Within Inference there may be that one alone.
  std::vector<Tensor> operator()(const Tensor& x) const { return module_->forward(x); }
  // Whether there is in_slabs: M has such a function (and its has_slabs(), if it has one, says so), and no hooks want to see what layers
  // give.
  bool has_slabs() const { return !ForwardHooks::active() && module_->has_slabs(); }
  // The first output for one image x {1, D, H, W, in_channels} at inference, bit for bit. The network and the scope of Inference must
  // outlive it.
  SlabOutputs in_slabs(const Tensor& x) const { return module_->in_slabs(x); }
  const NetworkTraits& traits() const { return traits_; }
  const std::string& config() const { return config_; }
  Network clone() const;
  void walk_fields(FieldVisitor& v, const std::string& path);

  // The module as what it is; null if M is another type.
  template <class M>
  M* as() const;

 private:
  std::shared_ptr<detail::AnyModule> module_;
  NetworkTraits traits_;
  std::string config_;
};

namespace detail {
template <class M>
struct ModuleHolder : AnyModule {
  M module;
  explicit ModuleHolder(M m) : module(std::move(m)) {}
  std::vector<Tensor> forward(const Tensor& x) const override {
    if constexpr (std::is_convertible_v<decltype(module(x)), Tensor>) return {module(x)};
    else return module(x);
  }
  bool has_slabs() const override {
    if constexpr (requires { module.has_slabs(); }) return module.has_slabs();
    else return requires(const Tensor& x) { module.in_slabs(x); };
  }
  SlabOutputs in_slabs(const Tensor& x) const override {
    if constexpr (requires { module.in_slabs(x); }) return module.in_slabs(x);
    else fail("network: it has no outputs in slabs");
  }
  void visit(FieldVisitor& v, const std::string& path) override { visit_fields(module, v, path); }
  std::shared_ptr<AnyModule> clone() const override { return std::make_shared<ModuleHolder>(voxgrad::clone(module)); }
};
}  // namespace detail

template <class M>
Network::Network(M module, const NetworkTraits& traits, std::string config)
    : module_(std::make_shared<detail::ModuleHolder<M>>(std::move(module))), traits_(traits), config_(std::move(config)) {}

template <class M>
M* Network::as() const {
  auto* holder = dynamic_cast<detail::ModuleHolder<M>*>(module_.get());
  return holder ? &holder->module : nullptr;
}

}  // namespace voxgrad
