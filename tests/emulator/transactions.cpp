// Barriers of copies, copies of the bulk kind and clusters: what core/cuda/transactions.h declares.
#include <algorithm>
#include <cstddef>

#include "tests/emulator/block.h"

#include "core/cuda/transactions.h"

namespace voxgrad {
namespace emulator {

Transactions& BlockRunner::transactions(const void* barrier, const char* what) {
  const auto found = transactions_.find(barrier);
  if (found == transactions_.end()) stop([&] { return std::string(what) + ": the barrier was not initialised"; });
  Transactions& t = found->second;
  if (t.initialised_by != running_ && t.meetings == block_of(t.initialised_by / each_).meetings + cluster_meetings_)
    stop([&] {
      return std::string(what) + ": thread " + std::to_string(threadIdx.x) + " uses a barrier that thread " +
             std::to_string(t.initialised_by % each_) + " initialised, and no barrier of the block came between";
    });
  return t;
}

void BlockRunner::begin_transactions(const void* barrier, int arrivals) {
  if (reinterpret_cast<uintptr_t>(barrier) % 8 || arrivals < 1)
    stop([&] { return "mbarrier.init: for " + std::to_string(arrivals) + " arrivals, at an address that may not be a multiple of 8"; });
  transactions_[barrier] = {.arrivals = arrivals, .pending = arrivals, .bytes = 0, .phase = 0, .initialised_by = running_,
                            .meetings = block().meetings + cluster_meetings_};
}

void BlockRunner::end_phase_if_complete(const void* barrier, Transactions& t) {
  if (t.pending > 0 || t.bytes != 0) return;
  ++t.phase;
  t.pending = t.arrivals;
  for (size_t i = 0; i < threads_.size(); ++i) {
    Thread& w = threads_[i];
    if (w.state != Thread::State::at_transactions || w.barrier != barrier || int(t.phase % 2) == w.parity) continue;
    w.state = Thread::State::ready;
    ready_.push_back(int(i));
  }
}
void BlockRunner::expect(const void* barrier, int64_t bytes) { transactions(barrier, "mbarrier.expect_tx").bytes += bytes; }
void BlockRunner::arrive(const void* barrier) {
  Transactions& t = transactions(barrier, "mbarrier.arrive");
  if (t.pending == 0)
    stop([&] { return "mbarrier.arrive: more arrivals in a phase than the " + std::to_string(t.arrivals) + " it was initialised for"; });
  --t.pending;
  end_phase_if_complete(barrier, t);
}
void BlockRunner::arrive_elsewhere(const void* barrier, int rank) {
  if (rank < 0 || rank >= cluster())
    stop([&] { return "mapa: the cluster has no block " + std::to_string(rank); });
  RunningBlock& there = block_of(rank);
  if (there.alive == 0) stop([&] { return "mbarrier.arrive: block " + std::to_string(rank) + " of the cluster has ended"; });
  arrive(there.base + offset(barrier, "mapa"));
}
void BlockRunner::complete(const void* barrier, int64_t bytes) {
  Transactions& t = transactions_.at(barrier);
  t.bytes -= bytes;
  end_phase_if_complete(barrier, t);
}

void BlockRunner::wait(const void* barrier, int parity, Place place) {
  Transactions& t = transactions(barrier, "mbarrier.try_wait");
  if (running_ % 32 == 0) ++counts_.waits;
  if (int(t.phase % 2) != parity) return;
  current().barrier = barrier, current().parity = parity;
  suspend(Thread::State::at_transactions, place);
}

void BlockRunner::check_copy(const RunningBlock& b, const void* barrier) {
  if (b.alive == 0) stop([&] { return std::string("cp.async.bulk: into a block that has ended"); });
  transactions(barrier, "cp.async.bulk");
}
void BlockRunner::begin_copy(RunningBlock& b, BulkCopy copy) {
  unsigned char* const into = static_cast<unsigned char*>(copy.into);
  std::memset(into, 0xff, size_t(copy.bytes));  // what is read before it has arrived
  for (int64_t i = 0; i < copy.bytes; i += 16) seen(b, into + i) = 1;
  copies_.push_back(std::move(copy));
}

void BlockRunner::check_seen(const void* p, const char* what) {
  const uint16_t by = seen(block(), p);
  if (by == 1) stop([&] { return std::string(what) + " reads shared memory that a copy is still writing"; });
  if (by > 1)
    stop([&] {
      return std::string(what) + " reads what thread " + std::to_string((by - 2) % each_) + " wrote to shared memory without fence_proxy";
    });
}

// Of a block that has just ended.
void BlockRunner::check_no_copies(const RunningBlock& b) {
  for (const BulkCopy& c : copies_) {
    if (c.into >= b.base && c.into < b.base + b.used)
      stop([] { return std::string("a block ended while copies are on their way into its shared memory"); });
    if (c.from == int(&b - blocks_.data()))
      stop([] { return std::string("a block ended while copies of its shared memory are on their way to others"); });
  }
}

void BlockRunner::deliver_one() {
  const size_t pick = random() % copies_.size();
  arriving_ = std::move(copies_[pick]);
  copies_[pick] = std::move(copies_.back());
  copies_.pop_back();
  const BulkCopy& copy = arriving_;
  copy.write();
  for (RunningBlock& b : blocks_)
    if (copy.into >= b.base && copy.into < b.base + b.used)
      for (int64_t i = 0; i < copy.bytes; i += 16) seen(b, static_cast<unsigned char*>(copy.into) + i) = 0;
  complete(copy.barrier, copy.bytes);
}

void BlockRunner::fence_proxy() {
  for (const void* p : current().unfenced)
    if (uint16_t& s = seen(block(), p); s == 2 + running_) s = 0;
  current().unfenced.clear();
}

void BlockRunner::cluster_arrive() {
  if (cluster_phase_[size_t(running_)] > cluster_meetings_)
    stop([&] { return "barrier.cluster.arrive: thread " + std::to_string(threadIdx.x) + " has arrived already and not waited"; });
  cluster_phase_[size_t(running_)] = cluster_meetings_ + 1;
  ++cluster_arrived_;
  release_cluster_if_complete();
}
void BlockRunner::release_cluster_if_complete() {
  if (cluster_arrived_ == 0 || cluster_arrived_ < alive_) return;
  cluster_arrived_ = 0;
  ++cluster_meetings_;
  for (size_t i = 0; i < threads_.size(); ++i)
    if (threads_[i].state == Thread::State::at_cluster_barrier) threads_[i].state = Thread::State::ready, ready_.push_back(int(i));
}
void BlockRunner::cluster_wait(Place place) {
  const int64_t phase = cluster_phase_[size_t(running_)];
  if (phase == 0) stop([&] { return "barrier.cluster.wait: thread " + std::to_string(threadIdx.x) + " has not arrived"; });
  if (phase <= cluster_meetings_) return;
  suspend(Thread::State::at_cluster_barrier, place);
}

void BlockRunner::named_barrier(int number, int threads, Place place) {
  if (number < 1 || number > 15 || threads < 32 || threads % 32)
    stop([&] {
      return "bar.sync " + std::to_string(number) + ", " + std::to_string(threads) + ": numbers are 1 to 15, threads whole warps";
    });
  RunningBlock& b = block();
  auto& n = b.named[number];
  if (n.arrived == 0) n.threads = threads;
  if (n.threads != threads)
    stop([&] {
      return "bar.sync " + std::to_string(number) + ": of " + std::to_string(n.threads) + " and of " + std::to_string(threads) + " threads";
    });
  if (++n.arrived < threads) {
    current().barrier = &n;
    return suspend(Thread::State::at_named_barrier, place);
  }
  n.arrived = 0;
  ++b.meetings;
  for (size_t i = 0; i < threads_.size(); ++i) {
    Thread& w = threads_[i];
    if (w.state != Thread::State::at_named_barrier || w.barrier != &n) continue;
    w.state = Thread::State::ready;
    ready_.push_back(int(i));
  }
  ready_.push_back(running_);
  suspend(Thread::State::ready, place);
}
void named_barrier(int number, int threads, Place place) { BlockRunner::here().named_barrier(number, threads, place); }

namespace {

void copy_bulk(SharedAddress into, const void* from, int bytes, SharedAddress barrier, unsigned blocks) {
  BlockRunner& r = BlockRunner::here();
  const auto misaligned = [](const void* p) { return reinterpret_cast<uintptr_t>(p) % 16 != 0; };
  if (bytes <= 0 || bytes % 16 || misaligned(into.value()) || misaligned(from))
    r.stop([&] { return "cp.async.bulk of " + std::to_string(bytes) + " bytes: addresses and bytes are multiples of 16"; });
  const uint32_t at = r.offset(into.value(), "cp.async.bulk"), on = r.offset(barrier.value(), "cp.async.bulk");
  r.counts().copied += bytes;
  r.note_global(from, bytes, false);
  if (blocks == 0 || blocks >> r.cluster())
    r.stop([&] { return "cp.async.bulk: to the blocks " + std::to_string(blocks) + " of a cluster of " + std::to_string(r.cluster()); });
  for (int rank = 0; rank < r.cluster(); ++rank) {
    if (!(blocks >> rank & 1)) continue;
    RunningBlock& b = r.block_of(rank);
    unsigned char* const target = b.base + at;
    if (at + size_t(bytes) > b.used) r.stop([&] { return std::string("cp.async.bulk: past the end of shared memory"); });
    r.check_copy(b, b.base + on);
    r.begin_copy(b, {[=] { std::memcpy(target, from, size_t(bytes)); }, target, bytes, b.base + on});
  }
}

void send_bulk(SharedAddress from, int bytes, SharedAddress barrier, int rank) {
  constexpr const char* kName = "cp.async.bulk.shared::cluster.shared::cta";
  BlockRunner& r = BlockRunner::here();
  auto* const at = static_cast<unsigned char*>(from.value());
  if (bytes <= 0 || bytes % 16 || reinterpret_cast<uintptr_t>(at) % 16)
    r.stop([&] { return std::string(kName) + " of " + std::to_string(bytes) + " bytes: addresses and bytes are multiples of 16"; });
  if (rank < 0 || rank >= r.cluster() || rank == r.rank())
    r.stop([&] { return std::string(kName) + ": block " + std::to_string(rank) + " of the cluster is not another one"; });
  const uint32_t offset = r.offset(at, kName), on = r.offset(barrier.value(), kName);
  if (offset + size_t(bytes) > r.block().used) r.stop([&] { return std::string(kName) + ": past the end of shared memory"; });
  for (int i = 0; i < bytes; i += 16) r.check_seen(at + i, kName);
  RunningBlock& b = r.block_of(rank);
  unsigned char* const target = b.base + offset;
  r.check_copy(b, b.base + on);
  const auto deliver = [=, sent = std::vector<unsigned char>(at, at + bytes)] {
    if (!std::equal(sent.begin(), sent.end(), at))
      BlockRunner::here().stop([&] { return std::string(kName) + ": what is sent was written over before it had arrived"; });
    std::memcpy(target, sent.data(), sent.size());
  };
  r.begin_copy(b, {deliver, target, bytes, b.base + on, r.rank()});
}

}  // namespace
}  // namespace emulator

using emulator::BlockRunner;

void transactions_begin(SharedAddress barrier, int arrivals) { BlockRunner::here().begin_transactions(barrier.value(), arrivals); }
void transactions_fence() {}
void transactions_arrive(SharedAddress barrier) { BlockRunner::here().arrive(barrier.value()); }
void transactions_arrive_at(SharedAddress barrier, int rank) { BlockRunner::here().arrive_elsewhere(barrier.value(), rank); }
void transactions_expect(SharedAddress barrier, int bytes) {
  BlockRunner::here().expect(barrier.value(), bytes);
  BlockRunner::here().arrive(barrier.value());
}
void transactions_wait(SharedAddress barrier, int parity, const char* file, int line) {
  BlockRunner::here().wait(barrier.value(), parity, {file, line});
}
void fence_proxy() { BlockRunner::here().fence_proxy(); }

void bulk_copy(SharedAddress into, const void* from, int bytes, SharedAddress barrier) {
  emulator::copy_bulk(into, from, bytes, barrier, 1u << BlockRunner::here().rank());
}
void bulk_copy_to(SharedAddress into, const void* from, int bytes, SharedAddress barrier, uint16_t blocks) {
  emulator::copy_bulk(into, from, bytes, barrier, blocks);
}

void bulk_send(SharedAddress at, int bytes, SharedAddress barrier, int rank) { emulator::send_bulk(at, bytes, barrier, rank); }

int cluster_blocks() { return BlockRunner::here().cluster(); }
int cluster_rank() { return BlockRunner::here().rank(); }
void cluster_arrive() { BlockRunner::here().cluster_arrive(); }
void cluster_wait(const char* file, int line) { BlockRunner::here().cluster_wait({file, line}); }

void store_16(SharedAddress into, const uint32_t (&v)[4]) {
  BlockRunner& r = BlockRunner::here();
  if (reinterpret_cast<uintptr_t>(into.value()) % 16)
    r.stop([] { return std::string("st.shared.v4: an address is not a multiple of 16"); });
  std::memcpy(into.value(), v, 16);
  r.note_written(into.value());
}

}  // namespace voxgrad
