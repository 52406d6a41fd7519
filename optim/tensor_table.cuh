#pragma once
#include "core/cuda/launch.h"
#include "core/cuda/scratch.h"

// One launch over many tensors: what an optimizer does to all parameters at once.
namespace voxgrad {

constexpr int kTableThreads = 256, kPerTableBlock = 4096;

// A tensor of one launch and the first of its blocks.
template <class Item>
struct TableEntry {
  Item item;
  int64_t first_block;
};

// f(item, index of it, begin, end): the elements of this block.
template <class Item, class F>
__device__ void on_entry(const TableEntry<Item>* table, int64_t count, F f) {
  int64_t low = 0, high = count - 1;
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (table[middle].first_block <= int64_t(blockIdx.x)) low = middle;
    else high = middle - 1;
  }
  const Item& item = table[low].item;
  const int64_t begin = (int64_t(blockIdx.x) - table[low].first_block) * kPerTableBlock;
  f(item, low, begin, begin + kPerTableBlock < item.n ? begin + kPerTableBlock : item.n);
}

// Calls f(table on the device, number of entries, number of blocks).
template <class Item, class F>
void with_table(Cuda on, const Item* items, int64_t count, F&& f) {
  TableEntry<Item>* const host = new TableEntry<Item>[size_t(count)];
  int64_t blocks = 0;
  for (int64_t i = 0; i < count; ++i) {
    host[i] = {items[i], blocks};
    blocks += (items[i].n + kPerTableBlock - 1) / kPerTableBlock;
  }
  const Scratch table(on, host, count * int64_t(sizeof(TableEntry<Item>)));
  delete[] host;
  if (blocks == 0) return;
  f(table.template as<const TableEntry<Item>>(), count, blocks);
}

}  // namespace voxgrad
