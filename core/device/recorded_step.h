#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

// What this thread does with a step of training: gives its work to the device as it comes, records it, or prepares a replay, when no work
// is given and only values of the host are renewed.
enum class StepPhase { given, recorded, replayed };
StepPhase step_phase();

// say(found) says that something is wrong, or nothing. At once; of a step that is recorded, of what each replay finds, when it is known.
void say_found(int64_t found, std::function<void(int64_t)> say);

// A step of training (forward, backward, clipping, update) that is done again and again. On CUDA the second one with the shapes of the
// first is recorded and then replayed, as are all that follow: the same bits in one launch, in which the host does not wait for the device.
// What changes from step to step lies in memory of the device that is written before a replay: the inputs, what layers draw from `Training`
// scopes, the factors of optimizers and moving averages. What waits for the device or has no room to be recorded is given as it comes, and
// so is every step with VOXGRAD_CUDA_WAIT set. Whether the loss and the gradients are finite is decided on the device, which leaves out the
// update where they are not, or where a loss or an op with indices finds a label that does not exist; the host hears of it one step later.
class RecordedStep {
 public:
  struct Work {
    std::vector<Tensor> inputs;  // on the device
    std::vector<Rng> scopes;     // of the `Training` scopes that `gradients` opens
    // From inputs to clipped gradients. Where step_phase() is `recorded` it calls note_loss and may not look at results; it must do the
    // same for all inputs of one shape.
    std::function<void(const std::vector<Tensor>&)> gradients;
    // Optimizer::step and what follows, such as move_average; called for a replay too, when it gives no work to the device.
    std::function<void()> update;
    std::vector<Tensor> trained;     // whose gradients are cleared where a recording fails
    std::vector<Tensor> host_state;  // on the CPU, that `update` changes
  };
  // What is known of a step that was replayed. Its loss: the sum of those noted.
  struct Outcome {
    int64_t step;
    double loss, gradient_norm;
  };
  // said: throws where the loss of a step is not finite.
  RecordedStep(Device, bool wanted, std::function<void(const Outcome&)> said = {});
  ~RecordedStep();

  // Whether it was replayed.
  bool operator()(int64_t step, const Work&);
  // Of steps that were replayed, each once, in their order: but for the latest one, unless `all`, those are waited for. Throws what a step
  // found wrong.
  std::vector<Outcome> outcomes(bool all = false);
  // The next step is given as the first one was. To be called where what it does has changed: other parameters are trained, other
  // statistics used, or memory is wanted for something else.
  void forget();
  bool is_recorded() const;
  // Whether the next step may be recorded, when no other thread may give work to the device's own stream.
  bool records_next() const { return possible_ && !recorded_ && !shapes_.empty(); }
  // Why it is not, where that was tried.
  const std::string& why_not() const { return why_not_; }

 private:
  struct Recorded;
  struct Reports;
  bool give_recorded(int64_t step, const Work&);
  void settle(size_t left);

  Device device_;
  bool wanted_, possible_;
  std::function<void(const Outcome&)> said_;
  std::vector<TensorInfo> shapes_;  // of the first step
  std::string why_not_;
  std::unique_ptr<Recorded> recorded_;
  std::unique_ptr<Reports> reports_;
};

// Adds a loss {} of f32 to that of the step that is recorded.
void note_loss(const Tensor& loss);

}  // namespace voxgrad
