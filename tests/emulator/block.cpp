#include "tests/emulator/block.h"

#include "core/cuda/launch_checks.h"
#include "core/error.h"

namespace voxgrad::emulator {
std::string text_of(Place p) {
  const std::string file = p.file ? p.file : "?";
  const size_t slash = file.rfind('/');
  return (slash == file.npos ? file : file.substr(slash + 1)) + ":" + std::to_string(p.line);
}
namespace {
bool same(Place a, Place b) { return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0); }
}  // namespace

BlockRunner& BlockRunner::here() {
  thread_local BlockRunner runner;
  return runner;
}

uint64_t BlockRunner::random() {
  random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
  return random_;
}

void BlockRunner::run(const char* kernel, const LaunchShape& shape, Index3 first, uint64_t seed, const std::function<void()>& body) {
  kernel_ = kernel, body_ = &body;
  random_ = (seed ^ (uint64_t(first.x) + 1) * 0x9E3779B97F4A7C15u ^ (uint64_t(first.y) << 40) ^ (uint64_t(first.z) << 52)) | 1;
  for (int warm = 0; warm < 4; ++warm) random();
  each_ = shape.threads;
  const int n = each_ * shape.cluster;
  threads_.resize(size_t(n));
  blocks_.resize(size_t(shape.cluster));
  ready_.clear();
  meetings_.resize(size_t(n + 31) / 32);
  for (Meetings& m : meetings_) m.open = 0;
  transactions_.clear();
  copies_.clear();
  products_.assign(size_t(n + 31) / 32, {});
  logs_.assign(size_t(n + 127) / 128, {});
  cluster_phase_.assign(size_t(n), 0);
  cluster_arrived_ = 0, cluster_meetings_ = 0;
  alive_ = n, fault_.clear();
  blockDim = {unsigned(each_), 1, 1};
  gridDim = {unsigned(shape.blocks.x), unsigned(shape.blocks.y), unsigned(shape.blocks.z)};
  for (int i = 0; i < shape.cluster; ++i) {
    RunningBlock& b = blocks_[size_t(i)];
    b.index = {first.x + unsigned(i), first.y, first.z};
    b.alive = each_, b.at_barrier = 0, b.meetings = 0;
    for (auto& named : b.named) named = {};
    begin_shared(b, shape.shared);
  }
  counts_ = {.blocks = shape.cluster};
  if (Counting::alive()) accesses_.begin(n);
  for (int i = 0; i < n; ++i) {
    Thread& t = threads_[size_t(i)];
    t.state = Thread::State::ready;
    t.index = i % each_, t.rank = i / each_;
    t.copy_groups.resize(1);
    t.copy_groups[0].clear();
    t.unfenced.clear();
    stacks_.prepare(t.fiber, i, thread_main);
    ready_.push_back(i);
  }
  // The first thread is entered from here; the last one to end, or a fault, comes back.
  warps_run_ahead_ = random() % 2;
  copies_late_ = random() % 4 != 0;
  take_ready();
  switch_fiber(main_, current().fiber);
  const Index3 at = block().index;
  running_ = -1;
  for (RunningBlock& b : blocks_)
    if (fault_.empty()) check_red_zones(b);
  if (!fault_.empty()) {
    stacks_.forget_frames();
    fail("kernel ", detail::kernel_name(kernel), ", block (", at.x, ", ", at.y, ", ", at.z, ") of ", shape.threads, " threads: ", fault_);
  }
  if (Counting* all = Counting::alive()) accesses_.end(counts_), all->add(detail::kernel_name(kernel), counts_);
}

void BlockRunner::thread_main() {
  fiber_entered();
  here().run_thread();
}

void BlockRunner::run_thread() {
  (*body_)();
  for (auto& group : current().copy_groups)
    if (!group.empty())
      stop([&] { return "thread " + std::to_string(running_) + " ended without waiting for its asynchronous copies"; });
  if (!products().idle())
    stop([&] { return "thread " + std::to_string(threadIdx.x) + " ended without waiting for its products"; });
  current().state = Thread::State::exited;
  --alive_;
  RunningBlock& b = block();
  if (--b.alive == 0) check_no_copies(b);
  if (b.alive > 0 && b.at_barrier == b.alive) release_barrier(b);
  release_cluster_if_complete();
  resume_next(true);
}

void BlockRunner::enter(int thread) {
  running_ = thread;
  threadIdx.x = unsigned(current().index);
  blockIdx = block().index;
}

// Draws from all threads that can run or, in half of the blocks, from those that became ready last: a warp then runs as far as it can.
void BlockRunner::take_ready() {
  const size_t n = ready_.size(), pick = warps_run_ahead_ && n > 32 ? n - 1 - random() % 32 : size_t((random() >> 32) * n >> 32);
  enter(ready_[pick]);
  ready_[pick] = ready_.back();
  ready_.pop_back();
}

// Enters a thread that can run, or the main context where none is left.
void BlockRunner::resume_next(bool last) {
  Fiber& from = current().fiber;
  if (!copies_late_ && !copies_.empty() && random() % 8 == 0) deliver_one();
  while (ready_.empty() && alive_ > 0 && !copies_.empty()) deliver_one();
  if (ready_.empty()) {
    if (alive_ > 0) fault_ = "no thread can go on; " + waiting_threads();
    return switch_fiber(from, main_, last);
  }
  take_ready();
  if (&from != &current().fiber) switch_fiber(from, current().fiber, last);
}

void BlockRunner::suspend(Thread::State state, Place place) {
  Thread& self = current();
  self.state = state;
  self.place = place;
  resume_next(false);  // comes back when take_ready has chosen this thread
  self.state = Thread::State::ready;
}

void BlockRunner::abandon() {
  switch_fiber(current().fiber, main_, true);
  __builtin_unreachable();
}

void BlockRunner::release_barrier(RunningBlock& b) {
  ++counts_.barriers;
  ++b.meetings;
  b.at_barrier = 0;
  const size_t first = size_t(&b - blocks_.data()) * size_t(each_);
  for (size_t i = first; i < first + size_t(each_); ++i)
    if (threads_[i].state == Thread::State::at_barrier) threads_[i].state = Thread::State::ready, ready_.push_back(int(i));
}

void BlockRunner::barrier(Place place) {
  RunningBlock& b = block();
  if (b.at_barrier == 0) b.first_at_barrier = running_;
  const Place first = b.at_barrier == 0 ? place : threads_[size_t(b.first_at_barrier)].place;
  if (!same(first, place))
    stop([&] {
      return "threads " + std::to_string(b.first_at_barrier % each_) + " and " + std::to_string(running_ % each_) +
             " wait at different barriers, " + text_of(first) + " and " + text_of(place);
    });
  if (++b.at_barrier == b.alive) {
    release_barrier(b);
    ready_.push_back(running_);
    return suspend(Thread::State::ready, place);
  }
  suspend(Thread::State::at_barrier, place);
}

void BlockRunner::collective(const char* operation, unsigned mask, void* operand, void (*combine)(Operands), Place place) {
  const int warp = running_ / 32, lane = running_ % 32;
  const int width = each_ - (current().index - lane);
  const unsigned present = width >= 32 ? 0xffffffffu : (1u << width) - 1;
  if (!(mask >> lane & 1))
    stop([&] { return std::string(operation) + " at " + text_of(place) + ": lane " + std::to_string(lane) + " is not in its own mask"; });
  if (mask & ~present)
    stop([&] { return std::string(operation) + " at " + text_of(place) + ": the mask names lanes that the block does not have"; });
  Meetings& of_warp = meetings_[size_t(warp)];
  Rendezvous* meeting = nullptr;
  for (size_t i = 0; i < of_warp.open; ++i) {
    Rendezvous& m = of_warp.all[i];
    if (!(m.mask & mask)) continue;
    if (m.mask != mask || m.operation != operation || !same(m.place, place))
      stop([&] {
        return "lanes of warp " + std::to_string(warp) + " meet in different collectives: " + m.operation + " at " + text_of(m.place) +
               " and " + operation + " at " + text_of(place);
      });
    meeting = &m;
  }
  if (!meeting) {
    if (of_warp.open == of_warp.all.size()) of_warp.all.emplace_back();
    meeting = &of_warp.all[of_warp.open++];
    meeting->mask = mask, meeting->arrived = 0, meeting->operation = operation, meeting->place = place;
  }
  meeting->arrived |= 1u << lane;
  meeting->operands[lane] = operand;
  if (meeting->arrived != mask) {
    current().mask = mask, current().operation = operation;
    return suspend(Thread::State::in_collective, place);
  }
  if (mask != 0xffffffffu)
    for (int l = 0; l < 32; ++l)
      if (!(mask >> l & 1)) meeting->operands[l] = nullptr;
  combine(meeting->operands);
  for (int l = 0; l < 32; ++l)
    if (mask >> l & 1) {
      threads_[size_t(warp * 32 + l)].state = Thread::State::ready;
      ready_.push_back(warp * 32 + l);
    }
  if (Rendezvous& last = of_warp.all[--of_warp.open]; &last != meeting) *meeting = last;
  suspend(Thread::State::ready, place);
}

std::string BlockRunner::where(size_t i) const {
  const Thread& t = threads_[i];
  if (t.state == Thread::State::exited) return "ended";
  if (t.state == Thread::State::at_barrier) return "wait at the barrier " + text_of(t.place);
  if (t.state == Thread::State::at_named_barrier) return "wait at a barrier of some of the threads, " + text_of(t.place);
  if (t.state == Thread::State::at_cluster_barrier) return "wait for the cluster at " + text_of(t.place);
  if (t.state == Thread::State::at_transactions) {
    const Transactions& b = transactions_.at(t.barrier);
    return "wait at " + text_of(t.place) + " for " + std::to_string(b.pending) + " arrivals and " + std::to_string(b.bytes) + " bytes";
  }
  return std::string("wait in ") + t.operation + " at " + text_of(t.place);
}

std::string BlockRunner::waiting_threads() const {
  std::string out;
  const size_t each = size_t(each_);
  for (size_t first = 0; first < threads_.size();) {
    const size_t of_block = (first / each + 1) * each;
    size_t end = first + 1;
    while (end < of_block && where(end) == where(first)) ++end;
    if (first) out += ", ";
    if (blocks_.size() > 1 && first % each == 0) out += "block " + std::to_string(first / each) + ": ";
    out += (end - first > 1 ? "threads " : "thread ") + std::to_string(first % each) +
           (end - first > 1 ? " to " + std::to_string((end - 1) % each) : "") + " " + where(first);
    first = end;
  }
  return out;
}

void barrier(Place place) { BlockRunner::here().barrier(place); }
void collective(const char* operation, unsigned mask, void* operand, void (*combine)(Operands), Place place) {
  BlockRunner::here().collective(operation, mask, operand, combine, place);
}
void* shared_bytes(const char* name, const void* key, size_t bytes, size_t alignment) {
  return BlockRunner::here().shared(name, key, bytes, alignment);
}
unsigned char* dynamic_shared() { return BlockRunner::here().dynamic(); }
int lane_index() { return int(threadIdx.x) % 32; }

unsigned ballot(unsigned mask, bool predicate, const char* file, int line) {
  struct Vote {
    bool predicate;
    unsigned result;
  } vote{predicate, 0};
  collective("ballot", mask, &vote, [](Operands all) {
    unsigned bits = 0;
    for (int l = 0; l < 32; ++l)
      if (all[l] && static_cast<Vote*>(all[l])->predicate) bits |= 1u << l;
    for (void* v : all)
      if (v) static_cast<Vote*>(v)->result = bits;
  }, {file, line});
  return vote.result;
}

}  // namespace voxgrad::emulator
