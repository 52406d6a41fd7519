#include "core/cuda/launch.h"
#include "core/cuda/step_memory.h"

namespace voxgrad {
namespace {
__global__ void step_loss_kernel(const float* loss, cuda::StepVerdict* verdict) {
  verdict->loss += double(*loss);
  if (*loss - *loss != 0) verdict->left_out = 1;
}
}  // namespace

void cuda::add_loss(Cuda on, const float* loss, StepVerdict* verdict) { launch<step_loss_kernel>(on, {.threads = 1}, loss, verdict); }

}  // namespace voxgrad
