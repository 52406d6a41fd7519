#include <algorithm>

#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/model_source.h"
#include "infer/weights/import.h"
#include "io/weights/weights.h"
#include "models/model_registry.h"
#include "train/transfer/fine_tune.h"
#include "train/transfer/transfer.h"

namespace voxgrad {
namespace {

// A file of weights that says nothing of a network, such as torchvision's and MedicalNet's, or is to be read by rules; else null.
std::unique_ptr<Weights> weights_alone(const TransferConfig& c) {
  if (!c.rules.empty()) return open_weights(c.from);
  if (std::filesystem::is_directory(c.from) || !is_weights(c.from) || source_of(c.from)) return nullptr;
  auto weights = open_weights(c.from);
  return weights->metadata().contains("voxgrad.model") ? nullptr : std::move(weights);
}

std::vector<WeightRule> usual_rules() {
  return weight_rules(Json::parse(R"([{"from": "**.num_batches_tracked", "skip": "a count that is not used"},
                                      {"from": "**", "to": "$1", "layout": "channels_last"}])"),
                      "transfer");
}

}  // namespace

TransferSource transfer_source(const TransferConfig& c, const Json& network) {
  TransferSource out{.file = c.from};
  const auto weights = weights_alone(c);
  if (!weights) {
    Model m = first_model(c.from, {});
    out.weights.tensors = state_of(m.net);
    return out;
  }
  const std::vector<WeightRule> given = c.rules.empty() ? std::vector<WeightRule>{} : read_rules(c.rules).rules;
  WeightMap map = given.empty() && !weight_rules_of(network).empty() ? foreign_weights(*weights, network)
                                                                     : map_weights(*weights, given.empty() ? usual_rules() : given);
  out.weights = std::move(map.weights);
  out.skipped = std::move(map.skipped);
  for (auto& name : map.unmatched) out.skipped.emplace_back(name, "no rule names it");
  return out;
}

}  // namespace voxgrad
