#include "train/learner.h"

#include <cmath>
#include <limits>
#include <map>

#include "core/autograd.h"
#include "core/error.h"
#include "core/training.h"
#include "io/json_file.h"
#include "kernels/pointwise/pointwise.h"
#include "models/last_layers.h"
#include "models/model_registry.h"
#include "optim/average.h"
#include "optim/parameter_group.h"
#include "infer/fitting.h"
#include "infer/model_file.h"
#include "train/transfer/fine_tune.h"
#include "train/inside.h"

namespace voxgrad {
namespace {

constexpr uint64_t kInitStream = 1, kTaskStream = 3, kLayerStream = 4;  // of the seed; 2 is the loader's

void load_part(Network& net, const Checkpoint& c, const std::string& prefix) {
  Checkpoint part;
  for (auto& p : c.tensors)
    if (p.name.rfind(prefix, 0) == 0) part.tensors.push_back(p);
  load_into(net, part, {.prefix = prefix});
}

// Where the clock ends the training, nobody knows the last batch.
int64_t batch_behind_the_last(const ScheduleConfig& t) {
  return t.minutes > 0 ? std::numeric_limits<int64_t>::max() : t.steps * t.accumulate;
}

}  // namespace

Learner::Learner(CaseStore& store, const Task& task, const std::vector<std::string>& cases, const TrainConfig& config, Device device,
                 const LearnerStart& start)
    : store_(store),
      task_(task),
      config_(config),
      device_(device),
      loader_(store, task, cases, config),
      feed_(loader_, device, batch_behind_the_last(config.train)),
      net_(make_net(start)),
      parts_(config.transfer, net_),
      optimizer_(parameters(net_), config.train),
      recorded_(device, config.train.cuda_graph, [this](const RecordedStep::Outcome& o) { check_loss(o.loss, o.step); }) {
  optimizer_.scale_learning_rates([&](const std::string& name) { return parts_.scale(name); });
  if (config.train.average_weights > 0) {
    average_ = net_.clone();
    freeze(average_);
  }
  for (auto& p : parameters(net_)) trained_.push_back(p.tensor);
  for (auto& p : optimizer_.state())
    if (p.tensor.device().is_cpu()) host_state_.push_back(p.tensor);
}

Network Learner::make_net(const LearnerStart& start) {
  Rng rng = Rng(config_.seed).at(kInitStream);
  Network net = build_network(parse_json(store_.description().network, "the plan"), rng);
  if (const double scale = task_.first_outputs(); scale != 1) scale_last_layers(net, store_.description().patch, scale);
  if (start.network) start_from(net, start.network);
  if (start.transfer) transferred_ = transfer(net, *start.transfer, config_.transfer);
  move_to(net, device_);
  return net;
}

Rng Learner::layer_source(int64_t number) const { return Rng(config_.seed).at(kLayerStream).at(uint64_t(number)); }

Batch Learner::prepared(const Batch& made, int64_t number) const {
  return task_.prepare(zero_outside(made, store_.description().normalization), Rng(config_.seed).at(kTaskStream).at(uint64_t(number)));
}

// Those of a step; where there are several on a device, copies, since the feed has memory for two.
std::vector<Batch> Learner::batches_of(int64_t step) {
  const int64_t count = config_.train.accumulate;
  std::vector<Batch> out;
  for (int64_t number = step * count; number < (step + 1) * count; ++number) {
    const Batch made = feed_.next(number);
    with_room([&] {
      Batch b = prepared(made, number);
      if (count > 1 && !device_.is_cpu()) {
        b.image = b.image.clone();
        for (Field& f : b.targets) f.data = f.data.clone();
      }
      out.push_back(b);
    });
  }
  return out;
}

void Learner::check_loss(double loss, int64_t step) const {
  check(std::isfinite(loss), "train: the loss is ", loss, " at step ", step, "; a smaller train.learning_rate than ",
        config_.train.learning_rate, " may help. The last checkpoint is kept");
}

// Forward and backward pass of each batch, and clipping.
void Learner::backpropagate(const std::vector<Batch>& batches, int64_t step) {
  const bool recorded = step_phase() == StepPhase::recorded;
  latest_ = {step, 0, 0};
  for (size_t i = 0; i < batches.size(); ++i) {
    const Training scope(layer_source(step * config_.train.accumulate + int64_t(i)), statistics_);
    const Tensor x = batches[i].image.to(activation_dtype(store_.description()));
    const Tensor loss = task_.loss(net_(x), batches[i]);
    if (recorded) note_loss(loss);
    else check_loss(latest_.loss += loss.item(), step);
    backward(batches.size() > 1 ? affine(loss, 1 / double(batches.size()), 0) : loss);
  }
  latest_.gradient_norm = optimizer_.clip(config_.train.clip);
}

template <class F>
void Learner::with_room(F&& f) try { f(); } catch (const OutOfMemory&) {
  if (step_phase() == StepPhase::recorded || !feed_.stop_ahead()) throw;
  clear_gradients(parameters(net_));
  f();
}

void Learner::update(const std::vector<Batch>& batches, int64_t step) {
  RecordedStep::Work work{.trained = trained_, .host_state = host_state_};
  for (const Batch& b : batches) {
    work.scopes.push_back(layer_source(step * config_.train.accumulate + int64_t(work.scopes.size())));
    work.inputs.push_back(b.image);
    for (const Field& f : b.targets) work.inputs.push_back(f.data);
  }
  work.gradients = [&](const std::vector<Tensor>& inputs) {
    std::vector<Batch> of_inputs = batches;
    auto next = inputs.begin();
    for (Batch& b : of_inputs) {
      b.image = *next++;
      for (Field& f : b.targets) f.data = *next++;
    }
    with_room([&] { backpropagate(of_inputs, step); });
  };
  work.update = [&] {
    optimizer_.step();
    if (average_) move_average(state_of(average_), state_of(net_), config_.train.average_weights, step + 1);
  };
  const bool replayed = recorded_(step, work);
  know(recorded_.outcomes());
  if (!replayed) know({latest_});
}

// Their losses are sums over batches.
void Learner::know(const Outcomes& more) {
  for (RecordedStep::Outcome o : more) {
    o.loss /= double(config_.train.accumulate);
    known_.push_back(o);
  }
}

// Of a few patches the latest running statistics are chance; their average over many steps is what prediction uses too.
void Learner::settle_statistics() {
  statistics_ = Training::Statistics::running;
  if (!average_) return;
  std::map<std::string, Tensor> averaged;
  walk(average_, [&](const std::string& name, Tensor& t, FieldKind kind) {
    if (kind == FieldKind::buffer) averaged[name] = t;
  });
  walk(net_, [&](const std::string& name, Tensor& t, FieldKind kind) {
    if (kind == FieldKind::buffer) t.copy_from(averaged.at(name));
  });
}

void Learner::learn(int64_t step, double fraction) try {
  if (parts_.apply(net_, fraction)) rest();
  if (fraction >= config_.train.batch_statistics) {
    if (statistics_ != Training::Statistics::running) rest();
    settle_statistics();
  }
  const std::vector<Batch> batches = batches_of(step);
  if (recorded_.records_next()) feed_.settle();
  optimizer_.schedule(fraction, step);
  update(batches, step);
} catch (const OutOfMemory& e) { end_with_what_fits(e, step, fraction); }

Learner::Outcomes Learner::outcomes(bool all) {
  know(recorded_.outcomes(all));
  return std::exchange(known_, {});
}

void Learner::rest() {
  recorded_.forget();
  know(recorded_.outcomes());
}

void Learner::finish() {
  feed_.stop_ahead();
  rest();
}

// The weights are spoilt by what is tried; the last checkpoint is not.
void Learner::end_with_what_fits(const OutOfMemory& e, int64_t step, double fraction) {
  const ModelDescription& d = store_.description();
  feed_.stop_ahead();
  rest();
  optimizer_.schedule(fraction, step);
  fail_with_what_fits(
      std::string("train: ") + e.what(), "train.batch, train.patch", device_, {config_.train.batch, d.patch}, d.traits.divisor,
      [&](const Workload& w) {
        clear_gradients(parameters(net_));
        const Batch blank = loader_.blank_batch(int(w.batch), w.patch, device_);
        backpropagate({size_t(config_.train.accumulate), prepared(blank, step)}, step);
        optimizer_.step();
      });
}

Checkpoint Learner::checkpoint() {
  know(recorded_.outcomes(true));
  Checkpoint c = checkpoint_of(net_, store_.description());
  if (average_)
    for (auto& p : state_of(average_, "average")) c.tensors.push_back(p);
  for (auto& p : optimizer_.state()) c.tensors.push_back({"optimizer." + p.name, p.tensor});
  return c;
}

void Learner::load(const Checkpoint& c) {
  rest();
  load_part(net_, c, "net.");
  if (average_) load_part(average_, c, "average.");
  optimizer_.load(c, "optimizer.");
}

}  // namespace voxgrad
