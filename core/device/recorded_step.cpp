#include "core/device/recorded_step.h"

#include <cstdlib>
#include <deque>
#include <utility>

#ifdef VOXGRAD_CUDA
#include "core/cuda/step_slots.h"
#endif

namespace voxgrad {

#ifdef VOXGRAD_CUDA
namespace {
constexpr size_t kFirstBytes = 1 << 16;  // for values; twice as much as long as they do not fit

std::vector<TensorInfo> infos_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorInfo> out;
  for (auto& t : tensors) out.push_back(t.info());
  return out;
}
}  // namespace

struct RecordedStep::Recorded {
  Recorded(Device d, size_t bytes, const Work& work) : slots(d, bytes, work.scopes) {
    for (auto& t : work.inputs) {
      inputs.push_back(Tensor::empty_like(t));
      inputs.back().copy_from(t);
    }
  }
  void record(Device d, const Work& work) {
    trim_memory(d);  // recorded work has memory of its own
    replayed = std::make_unique<cuda::Recording>(current_stream(d), [&] {
      const cuda::StepSlots::Scope scope(slots, StepPhase::recorded);
      try {
        work.gradients(inputs);
        work.update();
      } catch (...) {
        for (auto& t : work.trained) t.clear_grad();  // which are in memory of the recording
        throw;
      }
    });
    slots.check_complete();
  }
  std::vector<Tensor> inputs;
  cuda::StepSlots slots;
  std::unique_ptr<cuda::Recording> replayed;
};

struct RecordedStep::Reports {
  // What a step reports, on its way to the host.
  struct Report {
    explicit Report(int device) : pinned(cuda::allocate_pinned(cuda::StepSlots::kReportBytes)), arrived(device) {
      check(pinned, "recorded step: there is no pinned memory for its report");
    }
    ~Report() {
      try {
        if (step >= 0) arrived.synchronize();
      } catch (const std::exception&) {  // of a device in an error state, which reports it where its results are read
      }
      cuda::release_pinned(pinned);
    }
    Report(const Report&) = delete;
    void* pinned;
    cuda::Event arrived;
    int64_t step = -1;
  };
  std::deque<std::unique_ptr<Report>> pending;  // in the order of their steps
  std::unique_ptr<Report> free;
  std::vector<Outcome> known;
};

RecordedStep::RecordedStep(Device d, bool wanted, std::function<void(const Outcome&)> said)
    : device_(d),
      wanted_(wanted && !d.is_cpu() && !std::getenv("VOXGRAD_CUDA_WAIT")),
      possible_(wanted_),
      said_(std::move(said)),
      reports_(std::make_unique<Reports>()) {}

bool RecordedStep::operator()(int64_t step, const Work& work) {
  const std::vector<TensorInfo> infos = infos_of(work.inputs);
  bool all_there = possible_ && !shapes_.empty() && infos == shapes_;
  for (auto& i : infos) all_there = all_there && i.device == device_;  // others are looked at by the host
  if (all_there && give_recorded(step, work)) return true;
  settle(0);
  if (shapes_.empty()) shapes_ = infos;
  work.gradients(work.inputs);
  work.update();
  return false;
}

// What the host keeps of a step goes back to what it was where the step is not done.
bool RecordedStep::give_recorded(int64_t step, const Work& work) {
  std::vector<Tensor> before;
  for (auto& t : work.host_state) before.push_back(t.clone());
  const auto undo = [&] {
    for (size_t i = 0; i < before.size(); ++i) work.host_state[i].copy_from(before[i]);
  };
  const bool fresh = !recorded_;
  for (size_t bytes = kFirstBytes; !recorded_; bytes *= 2) try {
      auto made = std::make_unique<Recorded>(device_, bytes, work);
      made->record(device_, work);
      recorded_ = std::move(made);
    } catch (const cuda::StepSlotsFull&) { undo(); } catch (const Error& e) {
      why_not_ = e.what();
      possible_ = false;
      undo();
      return false;
    }
  if (!fresh) {
    for (size_t i = 0; i < work.inputs.size(); ++i) recorded_->inputs[i].copy_from(work.inputs[i]);
    {
      const cuda::StepSlots::Scope scope(recorded_->slots, StepPhase::replayed);
      work.update();
    }
    recorded_->slots.draw_again(work.scopes);
  }
  settle(1);
  const Cuda on = current_stream(device_);
  recorded_->slots.send(on);
  if (!recorded_->replayed->replay(on)) {
    settle(0);
    recorded_.reset();
    why_not_ = "there is no room on the device for a recording";
    possible_ = false;
    undo();
    return false;
  }
  auto report = reports_->free ? std::move(reports_->free) : std::make_unique<Reports::Report>(device_.cuda_index);
  recorded_->slots.fetch(on, report->pinned);
  report->arrived.record(on);
  report->step = step;
  reports_->pending.push_back(std::move(report));
  return true;
}

// Waits for all but the latest `left` steps.
void RecordedStep::settle(size_t left) {
  auto& pending = reports_->pending;
  while (pending.size() > left) {
    reports_->free = std::move(pending.front());
    pending.pop_front();
    Reports::Report& first = *reports_->free;
    first.arrived.synchronize();
    reports_->known.push_back(recorded_->slots.judge(first.pinned, first.step, said_));
  }
}

std::vector<RecordedStep::Outcome> RecordedStep::outcomes(bool all) {
  settle(all ? 0 : 1);
  return std::exchange(reports_->known, {});
}

void RecordedStep::forget() {
  settle(0);
  recorded_.reset();
  shapes_.clear();
  possible_ = wanted_;
}
#else
struct RecordedStep::Recorded {};
struct RecordedStep::Reports {};

StepPhase step_phase() { return StepPhase::given; }
void say_found(int64_t found, std::function<void(int64_t)> say) { say(found); }
void note_loss(const Tensor&) { fail("note_loss: no step is recorded"); }

RecordedStep::RecordedStep(Device d, bool, std::function<void(const Outcome&)> said)
    : device_(d), wanted_(false), possible_(false), said_(std::move(said)) {}
bool RecordedStep::operator()(int64_t, const Work& work) {
  work.gradients(work.inputs);
  work.update();
  return false;
}
std::vector<RecordedStep::Outcome> RecordedStep::outcomes(bool) { return {}; }
void RecordedStep::forget() {}
#endif

RecordedStep::~RecordedStep() = default;
bool RecordedStep::is_recorded() const { return recorded_ != nullptr; }

}  // namespace voxgrad
