#include <cstdio>

#include "cli/commands.h"
#include "cli/convert_weights.h"
#include "core/error.h"
#include "infer/model_source.h"
#include "infer/nnunet/nnunet.h"
#include "infer/weights/import.h"
#include "io/weights/weights.h"

namespace voxgrad {
namespace {

Checkpoint renamed(const WeightConversion& c) {
  WeightMap map = map_weights(*open_weights(c.in), read_rules(c.rules).rules);
  check(map.unmatched.empty(), c.in.string(), ": ", describe(map));
  std::fprintf(stderr, "voxgrad: %s\n", describe(map).c_str());
  return std::move(map.weights);
}

Checkpoint all_of(const std::filesystem::path& in) {
  const auto weights = open_weights(in);
  Checkpoint out{.metadata = weights->metadata()};
  for (size_t i = 0; i < weights->list().size(); ++i) out.tensors.push_back({weights->list()[i].name, weights->load(i)});
  return out;
}

}  // namespace

void convert_weights(const WeightConversion& c) {
  const bool model = !c.rules.empty() && read_rules(c.rules).has_model;
  Checkpoint out;
  if (c.names == "nnunet") out = nnunet_weights(load_model(c.in, {.folds = c.folds, .rules = c.rules}), c.in.string());
  else if (!c.rules.empty() && !model) out = renamed(c);
  else if (model || source_of(c.in)) {
    const Model m = load_model(c.in, {.folds = c.folds, .rules = c.rules});
    out = checkpoint_of(m.net, m.description);
  } else out = all_of(c.in);
  save_checkpoint(c.out, out);
  std::printf("%zu tensors in %s\n", out.tensors.size(), c.out.string().c_str());
}

}  // namespace voxgrad
