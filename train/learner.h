#pragma once
#include <string>
#include <vector>

#include "core/device/recorded_step.h"
#include "core/training.h"
#include "io/checkpoint.h"
#include "models/network.h"
#include "train/batch_feed.h"
#include "train/optimizer.h"
#include "train/transfer/trained_parts.h"
#include "train/transfer/transfer.h"

namespace voxgrad {

// What weights start from where they are not drawn.
struct LearnerStart {
  Network network = {};  // of the same kind
  std::optional<TransferSource> transfer = {};
};

// A network and what changes it: batches of the training cases, an optimizer, and the moving average of the weights where one is wanted.
class Learner {
 public:
  Learner(CaseStore&, const Task&, const std::vector<std::string>& cases, const TrainConfig&, Device, const LearnerStart& = {});

  // One update, the `step`th from 0, at `fraction` in [0, 1] of the schedule. A device without room for it is an Error that says what would
  // fit. On CUDA a step is a recording that is replayed (RecordedStep): it may be at work when this returns, and what is wrong with it is
  // an Error of the next call.
  void learn(int64_t step, double fraction);
  // The losses before the updates and the norms before clipping that have become known since the last call; with `all`, of every step.
  using Outcomes = std::vector<RecordedStep::Outcome>;
  Outcomes outcomes(bool all = false);
  // Something else is done with the network and the device for a while: every step is done, and the memory of the recording free.
  void rest();
  // No step follows.
  void finish();

  const Network& net() const { return net_; }
  const Network& network_to_use() const { return average_ ? average_ : net_; }
  const std::optional<TransferReport>& transferred() const { return transferred_; }
  double learning_rate() const { return optimizer_.learning_rate(); }
  bool is_recorded() const { return recorded_.is_recorded(); }
  // Why steps are given to the CUDA device kernel by kernel, where they are.
  const std::string& why_unrecorded() const { return recorded_.why_not(); }

  // All that a resume needs, with the network's tensors under "net." as models are saved.
  Checkpoint checkpoint();
  void load(const Checkpoint&);

 private:
  Network make_net(const LearnerStart&);
  Rng layer_source(int64_t number) const;  // of a batch
  Batch prepared(const Batch&, int64_t number) const;
  std::vector<Batch> batches_of(int64_t step);
  void backpropagate(const std::vector<Batch>&, int64_t step);
  void update(const std::vector<Batch>&, int64_t step);
  void know(const Outcomes&);
  void check_loss(double loss, int64_t step) const;
  void settle_statistics();
  // f(); where memory runs out beside the making of the next batch, once more without that.
  template <class F>
  void with_room(F&& f);
  [[noreturn]] void end_with_what_fits(const OutOfMemory&, int64_t step, double fraction);

  CaseStore& store_;
  const Task& task_;
  TrainConfig config_;
  Device device_;
  Loader loader_;
  BatchFeed feed_;
  std::optional<TransferReport> transferred_;
  Network net_, average_;  // the second one where an average is wanted
  TrainedParts parts_;
  ScheduledOptimizer optimizer_;
  RecordedStep recorded_;
  std::vector<Tensor> trained_, host_state_;  // of the network and of the optimizer
  Outcomes known_;
  RecordedStep::Outcome latest_ = {};  // of the latest step that was not recorded
  Training::Statistics statistics_ = Training::Statistics::of_batch;
};

}  // namespace voxgrad
