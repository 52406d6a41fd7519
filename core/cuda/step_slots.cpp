#include "core/cuda/step_slots.h"

#include <cmath>
#include <cstring>

#include "core/cuda/memory.h"
#include "core/cuda/staging.h"

namespace voxgrad::cuda {
namespace {
constexpr size_t kMostWords = 64, kFirstWord = 32;
static_assert(sizeof(StepVerdict) <= kFirstWord && kFirstWord + 8 * kMostWords == StepSlots::kReportBytes);
thread_local StepSlots* slots = nullptr;
thread_local StepPhase phase = StepPhase::given;

StepSlots* recording_slots() { return phase == StepPhase::recorded ? slots : nullptr; }
}  // namespace

StepSlots::StepSlots(Device d, size_t bytes, std::vector<Rng> scopes)
    : memory_(Tensor::empty({int64_t(bytes)}, DType::u8, d)), host_(kReportBytes), scopes_(std::move(scopes)) {
  const int64_t nothing = Found::kNothing;
  for (size_t w = 0; w < kMostWords; ++w) std::memcpy(host_.data() + kFirstWord + 8 * w, &nothing, 8);
}

StepSlots::Scope::Scope(StepSlots& s, StepPhase p) {
  check(!slots, "recorded step: another one is recorded or replayed meanwhile");
  slots = &s;
  phase = p;
  s.next_ = 0;
}
StepSlots::Scope::~Scope() {
  slots = nullptr;
  phase = StepPhase::given;
}

// Aligned for every type.
size_t StepSlots::take(size_t bytes) {
  const size_t at = (host_.size() + 15) / 16 * 16;
  if (at + bytes > memory_.bytes()) throw StepSlotsFull("recorded step: there is no room for its values");
  host_.resize(at + bytes);
  return at;
}

void* StepSlots::values(const void* from, size_t bytes, bool varies) {
  const size_t at = take(bytes);
  if (bytes > 0) std::memcpy(host_.data() + at, from, bytes);
  if (varies) varying_.push_back({at, bytes});
  return on_device<void>(at);
}

void* StepSlots::next(size_t bytes) {
  check(next_ < varying_.size() && varying_[next_].bytes == bytes, "recorded step: a replay has other values than what was recorded");
  return host_.data() + varying_[next_++].at;
}

// A computation that is repeated for its gradients draws again what it has drawn.
void StepSlots::note_draw(const Rng& drawn, uint64_t n) {
  if (draws_.contains(drawn.key())) return;
  for (size_t s = 0; s < scopes_.size(); ++s) {
    if (scopes_[s].at(n).key() != drawn.key()) continue;
    const uint64_t source[2] = {drawn.key(), drawn.counter()};
    const size_t at = take(sizeof source);
    std::memcpy(host_.data() + at, source, sizeof source);
    draws_[drawn.key()] = {s, at, n, false};
    return;
  }
  throw NotRecordable("recorded step: random numbers are drawn from a Training scope that is not the step's");
}

const uint64_t* StepSlots::drawn_at(uint64_t key, uint64_t stream) {
  const auto found = draws_.find(key);
  if (found == draws_.end() || stream != 0) return nullptr;
  found->second.used = true;
  return on_device<const uint64_t>(found->second.at);
}

long long* StepSlots::new_word() {
  if (says_.size() == kMostWords) throw NotRecordable("recorded step: more than 64 ops report what is wrong with their inputs");
  says_.emplace_back();
  return on_device<long long>(kFirstWord + 8 * (says_.size() - 1));
}
FoundWords StepSlots::found() const { return {on_device<const long long>(kFirstWord), int64_t(says_.size())}; }
bool StepSlots::keep(std::function<void(int64_t)>& say) {
  if (!std::exchange(waiting_, false)) return false;
  says_.back() = std::move(say);
  return true;
}

StepVerdict* StepSlots::verdict() const { return on_device<StepVerdict>(0); }

void StepSlots::note_loss(const Tensor& loss) {
  check(loss.count() == 1 && loss.dtype() == DType::f32 && loss.device() == memory_.device(), "note_loss: the loss is ", loss.info());
  if (words_before_loss_ == SIZE_MAX) words_before_loss_ = says_.size();
  add_loss(current_stream(loss.device()), loss.view().as<const float>(), verdict());
}

void StepSlots::check_complete() const {
  if (waiting_) throw NotRecordable("recorded step: an op looks at what was found wrong, and says nothing of it");
  for (auto& [key, draw] : draws_)
    if (!draw.used) throw NotRecordable("recorded step: a layer's random numbers are not drawn on the device");
}

void StepSlots::draw_again(const std::vector<Rng>& scopes) {
  check(scopes.size() == scopes_.size(), "recorded step: ", scopes.size(), " scopes in place of ", scopes_.size());
  for (auto& [key, draw] : draws_) {
    const Rng drawn = scopes[draw.scope].at(draw.n);
    const uint64_t source[2] = {drawn.key(), drawn.counter()};
    std::memcpy(host_.data() + draw.at, source, sizeof source);
  }
}

void StepSlots::send(Cuda on) const {
  const Staging staged(on, host_.size());
  std::memcpy(staged.as<char>(), host_.data(), host_.size());
  copy(on, memory_.view().data, staged.as<char>(), host_.size());
}
void StepSlots::fetch(Cuda on, void* pinned) const { copy(on, pinned, memory_.view().data, kReportBytes); }

RecordedStep::Outcome StepSlots::judge(const void* pinned, int64_t step,
                                       const std::function<void(const RecordedStep::Outcome&)>& said) const {
  StepVerdict v;
  std::memcpy(&v, pinned, sizeof v);
  const RecordedStep::Outcome outcome = {step, v.loss, std::sqrt(v.squares)};
  for (size_t w = 0; w <= says_.size(); ++w) {
    if (w == std::min(words_before_loss_, says_.size()) && said) said(outcome);
    if (w == says_.size()) break;
    int64_t found;
    std::memcpy(&found, static_cast<const char*>(pinned) + kFirstWord + 8 * w, sizeof found);
    if (says_[w]) says_[w](found);
  }
  return outcome;
}

StepSlots* step_slots() { return slots; }
void note_draw(const Rng& drawn, uint64_t n) {
  if (StepSlots* s = recording_slots()) s->note_draw(drawn, n);
}

StepVerdict* step_verdict() { return recording_slots() ? slots->verdict() : nullptr; }
void* step_values(const void* from, int64_t bytes, bool varies) {
  return recording_slots() ? slots->values(from, size_t(bytes), varies) : nullptr;
}
const uint64_t* drawn_at(uint64_t key, uint64_t stream) { return recording_slots() ? slots->drawn_at(key, stream) : nullptr; }
FoundWords found_so_far() { return recording_slots() ? slots->found() : FoundWords{}; }
bool step_is_replayed() { return phase == StepPhase::replayed; }
void* next_values(int64_t bytes) { return slots->next(size_t(bytes)); }

Found::Found(Cuda on, Asker by) try : on_(on), data_(nullptr), kept_(recording_slots() != nullptr) {
  if (kept_) {
    data_ = slots->new_word();
    return;
  }
  data_ = take(on, sizeof(int64_t));
  const int64_t nothing = kNothing;
  copy(on, data_, &nothing, sizeof nothing);
} catch (const OutOfMemory& e) { throw e.of(by); }
Found::~Found() {
  if (!kept_) give_back(on_, data_, sizeof(int64_t));
}
int64_t Found::read() const {
  if (kept_) {
    slots->read_later();
    return kNothing;
  }
  int64_t found;
  copy(on_, &found, data_, sizeof found);
  synchronize(on_);
  return found;
}

}  // namespace voxgrad::cuda

namespace voxgrad {

StepPhase step_phase() { return cuda::phase; }

void say_found(int64_t found, std::function<void(int64_t)> say) {
  cuda::StepSlots* s = cuda::recording_slots();
  if (!s || !s->keep(say)) say(found);
}

void note_loss(const Tensor& loss) {
  check(cuda::recording_slots(), "note_loss: no step is recorded");
  cuda::slots->note_loss(loss);
}

}  // namespace voxgrad
