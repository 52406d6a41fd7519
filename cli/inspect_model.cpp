#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "cli/inspect.h"
#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/forward_hooks.h"
#include "core/graph.h"
#include "core/training.h"
#include "io/json_file.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {

// Products that a node of a graph sums: multiplications of convolutions and linear layers, which are all but a few per cent of a network.
double products_of(const GraphEntry& e) {
  const std::string op = e.op.name;
  if (op == "conv3d" || op == "conv3d_fused") {
    const Shape& w = e.inputs[e.inputs.size() - 2].tensor.shape;  // {K, T, R, S, C / groups}
    return double(e.outputs[0].shape.count()) * double(w.count(1, w.rank));
  }
  if (op == "conv_transpose3d") {
    const Shape &x = e.inputs[0].tensor.shape, &w = e.inputs[1].tensor.shape;  // {C, T, R, S, K / groups}
    return double(x.count()) * double(w.count(1, w.rank));
  }
  if (op == "linear") return double(e.outputs[0].shape.count()) * double(e.inputs[1].tensor.shape[1]);
  return 0;
}

struct Row {
  std::string name, type, output;
  int64_t parameters = 0;
};

// Every layer in the order of computation, blocks after what they consist of.
std::vector<Row> layers_of(Network& net, const Tensor& x) {
  const Inference quiet;
  std::vector<Row> rows;
  const std::vector<Parameter> all = parameters(net);
  {
    const ForwardHooks scope(net, [&](const LayerOutput& o) {
      Row row{o.name, o.type, "", 0};
      std::ostringstream shape;
      shape << o.output.shape();
      row.output = shape.str();
      for (auto& p : all)
        if (o.name.empty() || p.name.starts_with(o.name + ".")) row.parameters += p.tensor.count();
      rows.push_back(row);
    });
    net(x);
  }
  return rows;
}

struct Cost {
  double products = 0;
  size_t activations = 0, peak = 0;  // bytes that a graph keeps, and the most that forward and backward take, beyond weights and input
};

Cost cost_of(Network& net, const Tensor& x) {
  const Training scope{Rng(1)};
  reset_peak_memory(x.device());
  const size_t before = memory_stats(x.device()).in_use;
  std::vector<Tensor> outputs = net(x);
  Cost c;
  for (const GraphEntry& e : graph_of(outputs[0])) c.products += products_of(e);
  c.activations = memory_stats(x.device()).in_use - before;
  backward(outputs[0], Tensor::full(outputs[0].shape(), 1, outputs[0].dtype(), x.device()));
  c.peak = memory_stats(x.device()).peak - before;
  return c;
}

}  // namespace

std::string describe_network(const NetworkInspection& wanted) {
  const ModelEntry& entry = model_registry().find(wanted.name);
  const Options options = entry.options();
  for (auto& [key, value] : wanted.options) {
    const Json json = Json::parse(value, nullptr, false);
    set_key(options.keys(), key, json.is_discarded() ? Json(value) : json, "--set");
  }
  PlanRequest request{.in_channels = wanted.in_channels, .out_channels = wanted.out_channels, .patch = wanted.size};
  for (int a = 0; a < 3; ++a) request.extent[size_t(a)] = wanted.size[a];
  check(bool(entry.plan), entry.name, ": is made of trained networks; inspect FILE says what one in a checkpoint is");
  const NetworkPlan plan = entry.plan(options, request);
  Rng rng(1);
  Network net = build_network(parse_json(plan.config, "the plan"), rng);
  const Tensor x = Tensor::zeros({1, plan.patch.d, plan.patch.h, plan.patch.w, wanted.in_channels});
  const std::vector<Row> rows = layers_of(net, x);
  const Cost cost = cost_of(net, x);

  std::ostringstream o;
  o << "network        " << entry.name << ", " << entry.summary << "\n"
    << "configuration  " << plan.config << "\n"
    << "input          " << x.shape() << "\n\n";
  size_t widest = 4, widest_type = 4, widest_shape = 6;
  for (const Row& r : rows) {
    widest = std::max(widest, r.name.size());
    widest_type = std::max(widest_type, r.type.size());
    widest_shape = std::max(widest_shape, r.output.size());
  }
  const auto line = [&](const std::string& name, const std::string& type, const std::string& shape, const std::string& n) {
    o << std::left << std::setw(int(widest)) << name << "  " << std::setw(int(widest_type)) << type << "  " << std::setw(int(widest_shape))
      << shape << "  " << std::right << std::setw(12) << n << "\n";
  };
  line("name", "layer", "output", "parameters");
  for (const Row& r : rows) line(r.name.empty() ? "(all)" : r.name, r.type, r.output, std::to_string(r.parameters));
  o << std::fixed << std::setprecision(2) << "\nparameters     " << parameter_count(net) << "\n"
    << "FLOPs          " << 2e-9 * cost.products << " G forward (two for each product of convolutions and linear layers)\n"
    << "activations    " << double(cost.activations) / 1e6 << " MB kept for backward, f32\n"
    << "memory         " << double(cost.peak) / 1e6 << " MB at most in forward and backward, beyond weights and input\n";
  return o.str();
}

}  // namespace voxgrad
