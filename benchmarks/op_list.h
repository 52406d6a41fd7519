#pragma once
#include "benchmarks/bench.h"
#include "tests/op_case.h"

namespace voxgrad::bench {

// An op on its inputs. A peer reads "op", "shapes" ({N, D, H, W, C}), "roles" and the options from the description of the work.
struct Op {
  std::string name, op;
  std::vector<OpInput> inputs;
  std::function<Tensor(const Tensors&)> run;
  Json options = Json::object();
  bool differentiable = true;
};

// Every op that networks are made of, at the sizes of a U-Net's first stages.
std::vector<Op> listed_ops(const Sizes&);

}  // namespace voxgrad::bench
