#include "train/learner.h"

#include <cmath>
#include <limits>
#include <map>

#include "core/autograd.h"
#include "core/error.h"
#include "core/training.h"
#include "io/json_file.h"
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

// Where the clock ends the training, nobody knows the last step.
int64_t step_behind_the_last(const ScheduleConfig& t) { return t.minutes > 0 ? std::numeric_limits<int64_t>::max() : t.steps; }

}  // namespace

Learner::Learner(CaseStore& store, const Task& task, const std::vector<std::string>& cases, const TrainConfig& config, Device device,
                 const LearnerStart& start)
    : store_(store),
      task_(task),
      config_(config),
      device_(device),
      loader_(store, task, cases, config),
      feed_(loader_, device, step_behind_the_last(config.train)),
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

Rng Learner::layer_source(int64_t step) const { return Rng(config_.seed).at(kLayerStream).at(uint64_t(step)); }

Batch Learner::prepared(const Batch& made, int64_t step) const {
  return task_.prepare(zero_outside(made, store_.description().normalization), Rng(config_.seed).at(kTaskStream).at(uint64_t(step)));
}

void Learner::check_loss(double loss, int64_t step) const {
  check(std::isfinite(loss), "train: the loss is ", loss, " at step ", step, "; a smaller train.learning_rate than ",
        config_.train.learning_rate, " may help. The last checkpoint is kept");
}

// Forward and backward pass, and clipping.
void Learner::backpropagate(const Batch& batch, int64_t step) {
  const bool recorded = step_phase() == StepPhase::recorded;
  {
    const Training scope(layer_source(step), statistics_);
    const Tensor x = batch.image.to(activation_dtype(store_.description()));
    const Tensor loss = task_.loss(net_(x), batch);
    latest_ = {step, recorded ? 0 : loss.item(), 0};
    if (recorded) note_loss(loss);
    else check_loss(latest_.loss, step);
    backward(loss);
  }
  latest_.gradient_norm = optimizer_.clip(config_.train.clip);
}

template <class F>
void Learner::with_room(F&& f) try { f(); } catch (const OutOfMemory&) {
  if (step_phase() == StepPhase::recorded || !feed_.stop_ahead()) throw;
  clear_gradients(parameters(net_));
  f();
}

void Learner::update(const Batch& batch, int64_t step) {
  RecordedStep::Work work{.inputs = {batch.image}, .scopes = {layer_source(step)}, .trained = trained_, .host_state = host_state_};
  for (const Field& f : batch.targets) work.inputs.push_back(f.data);
  work.gradients = [&](const std::vector<Tensor>& inputs) {
    Batch of_inputs = batch;
    of_inputs.image = inputs[0];
    for (size_t i = 1; i < inputs.size(); ++i) of_inputs.targets[i - 1].data = inputs[i];
    with_room([&] { backpropagate(of_inputs, step); });
  };
  work.update = [&] {
    optimizer_.step();
    if (average_) move_average(state_of(average_), state_of(net_), config_.train.average_weights, step + 1);
  };
  const bool replayed = recorded_(step, work);
  for (auto& o : recorded_.outcomes()) known_.push_back(o);
  if (!replayed) known_.push_back(latest_);
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
  const Batch made = feed_.next(step);
  Batch batch;
  with_room([&] { batch = prepared(made, step); });
  if (recorded_.records_next()) feed_.settle();
  optimizer_.schedule(fraction, step);
  update(batch, step);
} catch (const OutOfMemory& e) { end_with_what_fits(e, step, fraction); }

Learner::Outcomes Learner::outcomes(bool all) {
  for (auto& o : recorded_.outcomes(all)) known_.push_back(o);
  return std::exchange(known_, {});
}

void Learner::rest() {
  recorded_.forget();
  for (auto& o : recorded_.outcomes()) known_.push_back(o);
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
        backpropagate(prepared(loader_.blank_batch(int(w.batch), w.patch, device_), step), step);
        optimizer_.step();
      });
}

Checkpoint Learner::checkpoint() {
  for (auto& o : recorded_.outcomes(true)) known_.push_back(o);
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
