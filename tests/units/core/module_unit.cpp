#include <array>

#include "core/autograd.h"
#include "core/fields.h"
#include "core/rng.h"
#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"

using namespace voxgrad;
using Values = std::vector<double>;

namespace {

struct Part {
  Tensor weight;
  Buffer running;
  Mode mode;
  FIELDS(weight, running, mode)
};
struct Net {
  std::array<Part, 2> parts;
  std::optional<Part> head;
  FIELDS(parts, head)
};
Part part(double v) {
  return {.weight = Tensor::full({2}, v).require_grad(), .running = Tensor::full({1}, v + 1), .mode = {}};
}
Net net_of_two() { return {.parts = {part(1), part(3)}, .head = {}}; }

// A module whose type is known at run time alone; copies share it.
class Erased {
 public:
  template <class M>
  explicit Erased(M m) : held_(std::make_shared<Held<M>>(std::move(m))) {}
  void walk_fields(FieldVisitor& v, const std::string& path) { held_->walk(v, path); }
  Erased clone() const { return Erased(held_->clone()); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void walk(FieldVisitor&, const std::string& path) = 0;
    virtual std::shared_ptr<Base> clone() const = 0;
  };
  template <class M>
  struct Held : Base {
    M m;
    explicit Held(M given) : m(std::move(given)) {}
    void walk(FieldVisitor& v, const std::string& path) override { visit_fields(m, v, path); }
    std::shared_ptr<Base> clone() const override { return std::make_shared<Held>(voxgrad::clone(m)); }
  };
  explicit Erased(std::shared_ptr<Base> held) : held_(std::move(held)) {}
  std::shared_ptr<Base> held_;
};
struct Around {
  Erased inner;
  Part outer;
  FIELDS(inner, outer)
};

std::vector<std::string> names_of(const std::vector<Parameter>& all) {
  std::vector<std::string> names;
  for (auto& p : all) names.push_back(p.name);
  return names;
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("buffers are in checkpoints, never among the parameters, and are never thawed") {
  Net net = net_of_two();
  CHECK(names_of(state_of(net)) == Names{"parts.0.weight", "parts.0.running", "parts.1.weight", "parts.1.running"});
  CHECK(names_of(parameters(net)) == Names{"parts.0.weight", "parts.1.weight"});
  freeze(net);
  CHECK(parameters(net).empty());
  freeze(net, false);
  CHECK(names_of(parameters(net)) == Names{"parts.0.weight", "parts.1.weight"});
  CHECK_FALSE(net.parts[0].running.requires_grad());
  // Not even where one was made of a parameter, or made one by hand.
  net.parts[0].running = Tensor::zeros({1}).require_grad();
  CHECK_FALSE(net.parts[0].running.requires_grad());
  static_cast<Tensor&>(net.parts[0].running).require_grad();
  CHECK(parameters(net).size() == 2);
  int buffers = 0;
  walk(net, [&](const std::string&, Tensor&, FieldKind kind) { buffers += kind == FieldKind::buffer; });
  CHECK(buffers == 2);
}

TEST_CASE("eval and freeze reach the modes of a part alone") {
  Net net = net_of_two();
  eval(net.parts[1]);
  CHECK(net.parts[0].mode == Mode{});
  CHECK(net.parts[1].mode == Mode{.evaluating = true, .frozen = false});
  CHECK(parameters(net).size() == 2);
  freeze(net);
  train(net);
  for (auto& p : net.parts) CHECK(p.mode == Mode{.evaluating = false, .frozen = true});
  freeze(net, false);
  for (auto& p : net.parts) CHECK(p.mode == Mode{});
}

TEST_CASE("a clone has weights of its own, and a copy shares them") {
  Net net = net_of_two();
  freeze(net.parts[1]);
  backward(square(net.parts[0].weight), Tensor::full({2}, 1));
  Net shared = net, own = clone(net);
  CHECK(shared.parts[0].weight.shares_memory_with(net.parts[0].weight));
  CHECK_FALSE(own.parts[0].weight.shares_memory_with(net.parts[0].weight));
  CHECK_FALSE(own.parts[0].running.shares_memory_with(net.parts[0].running));
  CHECK(own.parts[1].running.values() == Values{4});
  CHECK(own.parts[1].mode.frozen);
  CHECK(names_of(parameters(own)) == Names{"parts.0.weight"});
  CHECK_FALSE(own.parts[0].weight.grad());
  backward(square(own.parts[0].weight), Tensor::full({2}, 5));
  CHECK(net.parts[0].weight.grad().values() == Values{2, 2});
  own.parts[0].weight.copy_from(Tensor::zeros({2}));
  CHECK(net.parts[0].weight.values() == Values{1, 1});
}

TEST_CASE("weights that fields share are shared in a clone too") {
  Net net = net_of_two();
  net.parts[1].weight = net.parts[0].weight;
  Net own = clone(net);
  CHECK(own.parts[1].weight.shares_memory_with(own.parts[0].weight));
  CHECK_FALSE(own.parts[1].weight.shares_memory_with(net.parts[0].weight));
  backward(mul(own.parts[0].weight, own.parts[1].weight), Tensor::full({2}, 1));
  CHECK(own.parts[0].weight.grad().values() == Values{2, 2});  // one leaf: the gradients of both uses
  move_to(own, Device{});
  CHECK(own.parts[1].weight.shares_memory_with(own.parts[0].weight));
  CHECK(parameters(own).size() == 2);
}

TEST_CASE("a module of a type known at run time is walked, frozen, put at rest and cloned like any other") {
  Around net{Erased(net_of_two()), part(7)};
  CHECK(names_of(state_of(net, "net")) == Names{"net.inner.parts.0.weight", "net.inner.parts.0.running", "net.inner.parts.1.weight",
                                                "net.inner.parts.1.running", "net.outer.weight", "net.outer.running"});
  CHECK(parameter_count(net) == 6);
  Around own = clone(net);
  freeze(net.inner);
  CHECK(parameters(net).size() == 1);
  CHECK(parameters(own).size() == 3);
  const auto a = state_of(net), b = state_of(own);
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK_FALSE(a[i].tensor.shares_memory_with(b[i].tensor));
    CHECK(a[i].tensor.values() == b[i].tensor.values());
  }
  eval(own.inner);
  int evaluating = 0;
  detail::for_each_mode(own, [&](Mode& m) { evaluating += m.evaluating; });
  CHECK(evaluating == 2);
}
