#pragma once
#include "core/cuda/launch.h"
#include "core/cuda/scratch.h"
#include "core/cuda/step_memory.h"

// One launch over many tensors: what an optimizer does to all parameters at once.
namespace voxgrad {

constexpr int kTableThreads = 256, kPerTableBlock = 4096;

// A tensor of one launch and the first of its blocks.
template <class Item>
struct TableEntry {
  Item item;
  int64_t first_block;
};

// What a kernel sees of them. left_out: where it is given and not 0, nothing is done.
template <class Item>
struct TensorTable {
  const TableEntry<Item>* entries;
  int64_t count;
  const long long* left_out;
};

// An item whose member `update` holds constants of one step, which other steps change.
template <class Item>
inline constexpr bool kHasUpdate = requires(Item i) { i.update; };

// f(item, index of it, begin, end): the elements of this block.
template <class Item, class F>
__device__ void on_entry(const TensorTable<Item>& table, F f) {
  if (table.left_out && *table.left_out) return;
  int64_t low = 0, high = table.count - 1;
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (table.entries[middle].first_block <= int64_t(blockIdx.x)) low = middle;
    else high = middle - 1;
  }
  const Item& item = table.entries[low].item;
  const int64_t begin = (int64_t(blockIdx.x) - table.entries[low].first_block) * kPerTableBlock;
  f(item, low, begin, begin + kPerTableBlock < item.n ? begin + kPerTableBlock : item.n);
}

// Calls f(table on the device, number of blocks). The tables of a step that is recorded lie beside it; for a replay the updates alone are
// renewed, and f is not called.
template <class Item, class F>
void with_table(Cuda on, const Item* items, int64_t count, F&& f) {
  const int64_t bytes = count * int64_t(sizeof(TableEntry<Item>));
  if constexpr (kHasUpdate<Item>)
    if (cuda::step_is_replayed()) {
      auto* const entries = static_cast<TableEntry<Item>*>(cuda::next_values(bytes));
      for (int64_t i = 0; i < count; ++i) entries[i].item.update = items[i].update;
      return;
    }
  struct Host {
    TableEntry<Item>* entries;
    ~Host() { delete[] entries; }
  } host{new TableEntry<Item>[size_t(count)]};
  int64_t blocks = 0;
  for (int64_t i = 0; i < count; ++i) {
    host.entries[i] = {items[i], blocks};
    blocks += (items[i].n + kPerTableBlock - 1) / kPerTableBlock;
  }
  if (const cuda::StepVerdict* verdict = cuda::step_verdict()) {
    const auto* kept = static_cast<const TableEntry<Item>*>(cuda::step_values(host.entries, bytes, kHasUpdate<Item>));
    if (blocks > 0) f(TensorTable<Item>{kept, count, kHasUpdate<Item> ? &verdict->left_out : nullptr}, blocks);
    return;
  }
  const Scratch table(on, host.entries, bytes);
  if (blocks > 0) f(TensorTable<Item>{table.template as<const TableEntry<Item>>(), count, nullptr}, blocks);
}

}  // namespace voxgrad
