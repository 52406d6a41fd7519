#pragma once
#include <string>
#include <vector>

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

  // One update, the `step`th from 0, at `fraction` in [0, 1] of the schedule; the loss before it. A device without room for it is an Error
  // that says what would fit.
  double learn(int64_t step, double fraction);
  // No step follows.
  void finish() { feed_.stop_ahead(); }

  const Network& net() const { return net_; }
  const Network& network_to_use() const { return average_ ? average_ : net_; }
  const std::optional<TransferReport>& transferred() const { return transferred_; }
  double learning_rate() const { return optimizer_.learning_rate(); }
  double gradient_norm() const { return gradient_norm_; }  // of the latest step, before clipping

  // All that a resume needs, with the network's tensors under "net." as models are saved.
  Checkpoint checkpoint();
  void load(const Checkpoint&);

 private:
  Network make_net(const LearnerStart&);
  double backpropagate(const Batch&, int64_t step);
  double gradients_of(const Batch&, int64_t step);
  double update(const Batch&, int64_t step, double fraction);
  void settle_statistics();
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
  double gradient_norm_ = 0;
  Training::Statistics statistics_ = Training::Statistics::of_batch;
};

}  // namespace voxgrad
