#include <nlohmann/json.hpp>
#include <voxgrad/kernels/reduce/reduce.h>
#include <voxgrad/layers/conv.h>
#include <voxgrad/models/model_registry.h>

#include "own_op.h"

using namespace voxgrad;

namespace {

// Of the configuration, and with channels the network's JSON.
struct TinyOptions {
  int in_channels = 1, outputs = 1, width = 8;
  double beta = 1;
};

void add_keys(ConfigTable& t, TinyOptions& o) {
  t.integer("width", o.width, 1, 1024, "channels of both convolutions");
  t.number("beta", o.beta, 0.1, 10, "of the swish behind them");
}

TinyOptions options_of(const Json& config) {
  TinyOptions o;
  ConfigTable t;
  add_keys(t, o);
  t.integer("in_channels", o.in_channels, 1, 1 << 16, "");
  t.integer("outputs", o.outputs, 1, 1 << 16, "");
  for (auto& [name, value] : config.items())
    if (name != "kind") set_key(t.keys, name, value, "tiny");
  return o;
}

// Two convolutions, the mean over the volume, and a linear layer: {N, D, H, W, in_channels} to {N, outputs}.
struct Tiny {
  Conv3d first, second;
  Linear head;
  double beta;
  FIELDS(first, second, head)

  Tiny(const TinyOptions& o, Rng& rng)
      : first({.in = o.in_channels, .out = o.width}, rng),
        second({.in = o.width, .out = o.width, .stride = {2, 2, 2}}, rng),
        head({.in = o.width, .out = o.outputs}, rng),
        beta(o.beta) {}
  Tensor operator()(const Tensor& x) const { return head(mean(swish(second(swish(first(x), beta)), beta), {1, 2, 3})); }
};

NetworkPlan plan(const Options& options, const PlanRequest& r) {
  const auto& o = options.as<TinyOptions>();
  NetworkPlan p;
  for (int a = 0; a < 3; ++a) p.patch[a] = r.patch[a] > 0 ? r.patch[a] : int(r.extent[size_t(a)]);
  const Json config{{"kind", "tiny"}, {"in_channels", r.in_channels}, {"outputs", r.out_channels}, {"width", o.width}, {"beta", o.beta}};
  p.config = config.dump();
  return p;
}

NetworkTraits traits(const Json& config) {
  const TinyOptions o = options_of(config);
  return {.in_channels = o.in_channels, .out_channels = o.outputs, .dense = false};
}

}  // namespace

ModelEntry own_model() {
  return {.name = "tiny",
          .summary = "two convolutions for values per image",
          .dense = false,
          .options = [] { return Options::of<TinyOptions>(add_keys); },
          .plan = plan,
          .build = [](const Json& j, Rng& rng) { return Network(Tiny(options_of(j), rng), traits(j), j.dump()); },
          .traits = traits};
}
