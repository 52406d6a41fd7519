// What core/cuda/ptx.h declares, on fibers.
#include <algorithm>
#include <bit>
#include <string>

#include "tests/emulator/block.h"  // the keywords of CUDA, which the next one needs

#include "core/cuda/ptx.h"
#include "tests/emulator/numbers.h"

namespace voxgrad {
namespace {
using emulator::BlockRunner;
using emulator::Counting;
using emulator::KernelCounts;
using emulator::element;
using emulator::Kind;
using emulator::Operands;

struct MatrixLoad {
  const char* row;
  uint32_t* registers;
};

// Register m of lane l: elements 2 (l % 4), + 1 of row l / 4 of matrix m, whose rows lanes 8 m to 8 m + 7 point to.
// Passes over the 32 banks of 4 bytes that eight rows of 16 bytes take: a bank gives one word in each.
int passes_of(Operands lanes, int matrix) {
  uintptr_t words[32];
  int in_bank[32] = {}, most = 0, n = 0;
  for (int row = 0; row < 8; ++row)
    for (int i = 0; i < 4; ++i) {
      const uintptr_t word = reinterpret_cast<uintptr_t>(static_cast<MatrixLoad*>(lanes[8 * matrix + row])->row) / 4 + uintptr_t(i);
      if (std::find(words, words + n, word) != words + n) continue;
      words[n++] = word;
      most = std::max(most, ++in_bank[word % 32]);
    }
  return most;
}

template <int kMatrices, bool kTransposed>
void load_matrices(Operands lanes) {
  KernelCounts& counts = BlockRunner::here().counts();
  counts.matrices += kMatrices;
  if (Counting::alive())
    for (int m = 0; m < kMatrices; ++m) counts.conflicts += passes_of(lanes, m) - 1;
  for (int l = 0; l < 32; ++l)
    for (int m = 0; m < kMatrices; ++m) {
      uint16_t pair[2];
      for (int i = 0; i < 2; ++i) {
        const int row = kTransposed ? 2 * (l % 4) + i : l / 4, column = kTransposed ? l / 4 : 2 * (l % 4) + i;
        std::memcpy(&pair[i], static_cast<MatrixLoad*>(lanes[8 * m + row])->row + 2 * column, 2);
      }
      static_cast<MatrixLoad*>(lanes[l])->registers[m] = pair[0] | uint32_t(pair[1]) << 16;
    }
}

template <int kMatrices, bool kTransposed>
void ldmatrix(uint32_t* r, SharedAddress row) {
  const auto at = reinterpret_cast<uintptr_t>(row.value());
  const int lane = emulator::lane_index();
  if (lane < 8 * kMatrices && at % 16 != 0)
    BlockRunner::here().stop([&] { return "ldmatrix: lane " + std::to_string(lane) + " names a row that is not aligned to 16 bytes"; });
  MatrixLoad load{static_cast<const char*>(row.value()), r};
  emulator::collective(kTransposed ? "ldmatrix.trans" : "ldmatrix", 0xffffffffu, &load, load_matrices<kMatrices, kTransposed>,
                       {"ldmatrix", kMatrices});
}

struct Product {
  float* d;
  const uint32_t *a, *b;
};

template <Kind kKind>
void multiply(Operands lanes) {
  ++BlockRunner::here().counts().products;
  constexpr int kHalves = kKind == Kind::tf32 ? 1 : 2, kDepth = 8 * kHalves;
  double a[16][kDepth], b[kDepth][8];
  for (int l = 0; l < 32; ++l) {
    const auto& p = *static_cast<Product*>(lanes[l]);
    for (int r = 0; r < 4; ++r)
      for (int h = 0; h < kHalves; ++h) a[l / 4 + r % 2 * 8][l % 4 * kHalves + h + r / 2 * 4 * kHalves] = element<kKind>(p.a[r], h);
    for (int r = 0; r < 2; ++r)
      for (int h = 0; h < kHalves; ++h) b[l % 4 * kHalves + h + r * 4 * kHalves][l / 4] = element<kKind>(p.b[r], h);
  }
  float sums[16][8];
  const auto for_registers = [&](auto&& f) {
    for (int l = 0; l < 32; ++l)
      for (int r = 0; r < 4; ++r) f(static_cast<Product*>(lanes[l])->d[r], sums[l / 4 + r / 2 * 8][l % 4 * 2 + r % 2]);
  };
  for_registers([](float& d, float& sum) { sum = d; });
  for (int i = 0; i < 16; ++i) emulator::add_products(a[i], b[0], kDepth, 8, sums[i]);
  for_registers([](float& d, float& sum) { d = sum; });
}

template <Kind kKind>
void mma(const char* name, float* d, const uint32_t* a, const uint32_t* b) {
  Product p{d, a, b};
  emulator::collective(name, 0xffffffffu, &p, multiply<kKind>, {name, 0});
}

// The second half of what is summed over is zeros.
template <Kind kKind>
void mma_k8(const char* name, float* d, const uint32_t (&a)[2], uint32_t b) {
  const uint32_t wide_a[4] = {a[0], a[1], 0, 0}, wide_b[2] = {b, 0};
  mma<kKind>(name, d, wide_a, wide_b);
}

void copy_async(SharedAddress into, const void* from, int bytes, bool valid) {
  if (reinterpret_cast<uintptr_t>(into.value()) % size_t(bytes) || (valid && reinterpret_cast<uintptr_t>(from) % size_t(bytes)))
    BlockRunner::here().stop([&] { return "cp.async of " + std::to_string(bytes) + " bytes: an address is not aligned to them"; });
  std::memset(into.value(), 0xff, size_t(bytes));  // what is read before the wait
  if (valid) {
    BlockRunner::here().counts().copied += bytes;
    BlockRunner::here().note_global(from, bytes, false);
  }
  BlockRunner& r = BlockRunner::here();
  if (r.has_transactions()) r.seen(r.block(), into.value()) = 1;
  r.current().copy_groups.back().push_back({into.value(), from, bytes, valid});
}

}  // namespace

void ldmatrix_x4(uint32_t (&r)[4], SharedAddress row) { ldmatrix<4, false>(r, row); }
void ldmatrix_x2(uint32_t (&r)[2], SharedAddress row) { ldmatrix<2, false>(r, row); }
void ldmatrix_x4_transposed(uint32_t (&r)[4], SharedAddress row) { ldmatrix<4, true>(r, row); }
void ldmatrix_x2_transposed(uint32_t (&r)[2], SharedAddress row) { ldmatrix<2, true>(r, row); }

void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma<Kind::bf16>("mma.bf16", d, a, b); }
void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma<Kind::f16>("mma.f16", d, a, b); }
void mma_bf16_k8(float (&d)[4], const uint32_t (&a)[2], uint32_t b) { mma_k8<Kind::bf16>("mma.bf16.k8", d, a, b); }
void mma_f16_k8(float (&d)[4], const uint32_t (&a)[2], uint32_t b) { mma_k8<Kind::f16>("mma.f16.k8", d, a, b); }
void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { mma<Kind::tf32>("mma.tf32", d, a, b); }

int thread_read_anew() { return int(threadIdx.x); }
uint32_t tf32_of(float v) {
  const uint32_t u = std::bit_cast<uint32_t>(v);
  if ((u & 0x7f800000u) == 0x7f800000u) return u & 0xffffe000u;
  return (u + 0x1000u) & 0xffffe000u;
}

uint32_t chosen_bytes(uint32_t low, uint32_t high, uint32_t digits) {
  const uint64_t bytes = low | uint64_t(high) << 32;
  uint32_t r = 0;
  for (int i = 0; i < 4; ++i) r |= uint32_t(bytes >> (digits >> 4 * i & 7) * 8 & 0xff) << 8 * i;
  return r;
}

uint32_t pair_bf16(float low, float high) { return bf16(low).bits | uint32_t(bf16(high).bits) << 16; }
uint32_t pair_f16(float low, float high) { return f16(low).bits | uint32_t(f16(high).bits) << 16; }

namespace {
template <Kind kKind, class T>
uint32_t pair_added(uint32_t a, uint32_t b, float sign) {
  uint32_t r = 0;
  for (int half = 0; half < 2; ++half)
    r |= uint32_t(T(element<kKind>(a, half) + sign * element<kKind>(b, half)).bits) << 16 * half;
  return r;
}
}  // namespace
uint32_t pair_sum_bf16(uint32_t a, uint32_t b) { return pair_added<Kind::bf16, bf16>(a, b, 1); }
uint32_t pair_difference_bf16(uint32_t a, uint32_t b) { return pair_added<Kind::bf16, bf16>(a, b, -1); }
uint32_t pair_sum_f16(uint32_t a, uint32_t b) { return pair_added<Kind::f16, f16>(a, b, 1); }
uint32_t pair_difference_f16(uint32_t a, uint32_t b) { return pair_added<Kind::f16, f16>(a, b, -1); }

void cp_async_16(SharedAddress into, const void* from, bool valid) { copy_async(into, from, 16, valid); }
void cp_async_8(SharedAddress into, const void* from, bool valid) { copy_async(into, from, 8, valid); }
void cp_async_4(SharedAddress into, const void* from, bool valid) { copy_async(into, from, 4, valid); }
void cp_async_commit() { BlockRunner::here().current().copy_groups.emplace_back(); }

void emulator::wait_for_copies(int pending) {
  BlockRunner& r = BlockRunner::here();
  auto& groups = r.current().copy_groups;
  // The last group is open: it was not committed, and nothing waits for it.
  const int closed = int(groups.size()) - 1, done = closed - pending;
  for (int g = 0; g < done; ++g)
    for (const PendingCopy& c : groups[size_t(g)]) {
      if (c.valid) std::memcpy(c.into, c.from, size_t(c.bytes));
      else std::memset(c.into, 0, size_t(c.bytes));
      r.note_written(c.into);
    }
  if (done > 0) groups.erase(groups.begin(), groups.begin() + done);
}

}  // namespace voxgrad
