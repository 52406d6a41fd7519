#pragma once
#include <utility>

#include "models/model_registry.h"

namespace voxgrad {

// A network that gives its features after each stage, by its own names.
template <class Net>
struct StagedNetwork {
  Net net;
  std::vector<Tensor> (Net::*features)(const Tensor&) const;

  std::vector<Tensor> operator()(const Tensor& x) const { return (net.*features)(x); }
  void walk_fields(FieldVisitor& v, const std::string& path) { visit_fields(net, v, path); }
};

// What makes the EncoderEntry of a network that is made of a configuration.
template <class Net, class Config>
struct StagedParts {
  Options (*options)();
  NetworkPlan (*plan)(const Options&, const PlanRequest&);
  Config (*read)(const Json&);
  std::vector<EncoderStage> (*stages)(const Config&);  // finest first
  std::vector<Tensor> (Net::*features)(const Tensor&) const;
  void (*drop_rest)(Net&);  // takes the weights away that the features do not depend on
  double (*least_weights)(const Config&);
};
// The numbers that a classifier of this configuration trains without those of its outputs.
template <class Config>
double headless_weights(const Config& c) {
  Config headless = c;
  headless.classes = 0;
  return parameters_of(headless);
}
template <class Net, class Config>
EncoderEntry encoder_of(const StagedParts<Net, Config>& p) {
  return {.options = p.options,
          .plan = p.plan,
          .stages = [p](const Json& j) { return p.stages(p.read(j)); },
          .build =
              [p](const Json& j, Rng& rng) {
                const Config c = p.read(j);
                Net net(c, rng);
                p.drop_rest(net);
                const std::vector<EncoderStage> stages = p.stages(c);
                return Network(StagedNetwork<Net>{std::move(net), p.features},
                               {.in_channels = c.in_channels, .out_channels = stages.front().channels, .divisor = stages.back().stride},
                               j.dump());
              },
          .least_weights = [p](const Json& j) { return p.least_weights(p.read(j)); }};
}

}  // namespace voxgrad
