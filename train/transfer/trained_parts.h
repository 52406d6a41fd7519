#pragma once
#include <string>
#include <vector>

#include "models/network.h"
#include "train/config.h"

namespace voxgrad {

// Whether a pattern means a tensor or module of this path: it fits it (infer/weights/weight_rules.h: * stands for letters without a point,
// ** for any) or the path of what it is part of: "encoder" and "encoder.*" mean "encoder.0.conv.weight". With "!" in front: where
// it does not.
bool selects(const std::string& pattern, const std::string& path);
// The parts that these are of, by their first words, for messages.
std::string parts_of(const std::vector<Parameter>&);

// Which parameters a training changes, and how fast: config.freeze and config.lr_scale. Norms of frozen parts use the running statistics
// and leave them as they are. A pattern that means no parameter of the network is an Error, and so is a network frozen to the end.
class TrainedParts {
 public:
  TrainedParts(const TransferConfig&, Network);
  // Freezes and thaws for a step at `fraction` of the schedule; copies of the network with its tensors are the same to it. Whether anything
  // has changed.
  bool apply(Network&, double fraction);
  // Of a parameter's learning rate: that of the first pattern that means it, else 1.
  double scale(const std::string& name) const;

 private:
  struct Frozen {
    std::string pattern;
    double until;  // fraction of the schedule; 2: always
  };
  struct Scaled {
    std::string pattern;
    double scale;
  };
  bool frozen(const std::string& path, double fraction) const;
  std::vector<Frozen> frozen_;
  std::vector<Scaled> scaled_;
  double applied_ = -1;  // the fraction of the latest application; before the first: -1
};

}  // namespace voxgrad
