#include <voxgrad/cli/program.h>
#include <voxgrad/voxgrad.h>

#include <cstdio>
#include <cstring>

#include "own_op.h"

using namespace voxgrad;

ModelEntry own_model();
TaskEntry own_task();
TransformEntry own_transform();
OptimizerEntry own_optimizer();

// The op's graph, and its gradient against finite differences.
int check_op() {
  const Tensor x = Tensor::from({-2, -0.5, 1, 3}, {4}, DType::f64).require_grad();
  std::fputs(describe_graph(swish(x, 1.5)).c_str(), stdout);
  const double error = gradient_error([](const std::vector<Tensor>& in) { return swish(in[0], 1.5); }, {x});
  std::printf("gradient %s\n", error < 1e-6 ? "right" : "wrong");
  return error < 1e-6 ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "check-op") == 0) return check_op();
  model_registry().add(own_model());
  task_registry().add(own_task());
  transform_registry().add(own_transform());
  optimizers().add(own_optimizer());
  return run_program(argc, argv);
}
