#pragma once
#include <string>
#include <utility>
#include <vector>

#include "models/model_registry.h"

namespace voxgrad {

// The encoder that a user chooses for a network.
class EncoderChoice {
 public:
  EncoderChoice();  // a U-Net's
  EncoderChoice(const EncoderChoice&);
  EncoderChoice& operator=(const EncoderChoice&) = delete;

  // The key "encoder", a name of the registry, and the keys of all encoders: those of a U-Net as they are, those of another one, such as
  // resnet, as "resnet.depth".
  void add_keys(ConfigTable&);
  // Its patch, and as `config` its JSON without in_channels and classes. Error where keys of an encoder are set that is not the one chosen.
  NetworkPlan plan(const PlanRequest&) const;

 private:
  std::string name_;
  std::vector<std::pair<std::string, Options>> options_;  // of each, by its name
};

}  // namespace voxgrad
