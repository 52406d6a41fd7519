// Products of warpgroups: what core/cuda/wgmma.h declares. They are done as late as the program allows, when a warp waits for them; until
// then their sums are taken away from the threads, and what they read must not be on its way.
#include <algorithm>
#include <bit>
#include <cstring>

#include "tests/emulator/block.h"
#include "tests/emulator/device.h"

#include "core/cuda/wgmma.h"
#include "tests/emulator/numbers.h"

namespace voxgrad {
namespace emulator {
namespace {

constexpr uint32_t kTaken = 0x7fc5a5a5u;  // a NaN in the place of a sum under way

struct Matrix {
  uint32_t first, across, down;
  Swizzle swizzle;
  bool by_columns;  // rows are those of k, eight of them from `across` to `across`, and pieces of columns from `down` to `down`
  explicit Matrix(uint64_t d, bool columns = false)
      : first(uint32_t(d & 0x3fff) << 4), across(uint32_t(d >> 16 & 0x3fff) << 4), down(uint32_t(d >> 32 & 0x3fff) << 4),
        swizzle(Swizzle(d >> 62)), by_columns(columns) {}
  // Of 16 bytes of a row.
  uint32_t place(int row, int piece) const {
    if (by_columns) return first + uint32_t(row / 8) * across + uint32_t(row % 8) * 16 + uint32_t(piece) * down;
    const uint32_t width = swizzle == Swizzle::none ? 16 : swizzle == Swizzle::bytes32 ? 32 : swizzle == Swizzle::bytes64 ? 64 : 128;
    const uint32_t at = first + uint32_t(row / 8) * down + uint32_t(row % 8) * width +
                        uint32_t(piece) * (swizzle == Swizzle::none ? across : 16);
    return at ^ ((at >> 7 & (width / 16 - 1)) << 4);
  }
};

struct Issue {
  WarpgroupProduct product;
  float* registers;
  const uint32_t* held = nullptr;
};

const char* name_of(Kind k) { return k == Kind::bf16 ? "wgmma.bf16" : k == Kind::f16 ? "wgmma.f16" : "wgmma.tf32"; }

// What the products may not read: memory that a copy is writing, or that a thread wrote without its fence.
void check_operand(BlockRunner& r, const WarpgroupProduct& p, const Matrix& m, int first, int rows, int pieces) {
  if (m.by_columns && m.swizzle != Swizzle::none)
    r.stop([&] { return std::string(name_of(p.kind)) + ": rows of k with a swizzle"; });
  for (int row = first; row < first + rows; ++row)
    for (int piece = 0; piece < pieces; ++piece) {
      const uint32_t at = m.place(row, piece);
      if (at + 16 > r.block().used)
        r.stop([&] { return std::string(name_of(p.kind)) + ": an operand lies outside shared memory"; });
      r.check_seen(r.at(at), name_of(p.kind));
    }
}

// Eight rows of 16 bytes are read in one pass where their words lie in different banks.
void count(BlockRunner& r, const Matrix& m, int rows, int pieces) {
  for (int row = 0; row < rows; row += 8)
    for (int piece = 0; piece < pieces; ++piece) {
      int in_bank[8] = {}, most = 0;  // of 16 bytes
      for (int i = 0; i < 8; ++i) most = std::max(most, ++in_bank[m.place(row + i, piece) / 16 % 8]);
      ++r.counts().matrices;
      r.counts().conflicts += most - 1;
    }
}

// Calls f(its number, row, column) for the registers of lane l of a sum.
template <class F>
void for_registers(int lane, int count, F&& f) {
  for (int i = 0; i < count; i += 4)
    for (int half = 0; half < 2; ++half)
      for (int e = 0; e < 2; ++e) f(i + 2 * half + e, lane / 4 + 8 * half, 2 * i + lane % 4 * 2 + e);
}

Sum& sum_of(WarpProducts& w, Operands lanes, const Issue& first, WarpgroupProduct& p) {
  for (size_t i = 0; i < w.sums.size(); ++i) {
    if (w.sums[i].registers[0] != first.registers) continue;
    p.sum = int(i);
    return w.sums[i];
  }
  p.sum = int(w.sums.size());
  Sum& s = w.sums.emplace_back();
  s.count = first.product.columns / 2;
  s.values.resize(size_t(16 * p.columns));
  for (int l = 0; l < 32; ++l) {
    s.registers[l] = static_cast<Issue*>(lanes[l])->registers;
    for_registers(l, s.count, [&](int i, int row, int column) {
      s.values[size_t(row * p.columns + column)] = s.registers[l][i];
      s.registers[l][i] = std::bit_cast<float>(kTaken);
    });
  }
  return s;
}

void check_untouched(BlockRunner& r, const Sum& s) {
  for (int l = 0; l < 32; ++l) {
    uint32_t differs = 0;
    for (int i = 0; i < s.count; ++i) differs |= std::bit_cast<uint32_t>(s.registers[l][i]) ^ kTaken;
    if (differs) r.stop([&] { return "lane " + std::to_string(l) + " wrote to a sum of wgmma before it waited for the products"; });
  }
}

// The registers of a of a warp.
void hold(WarpProducts& w, Operands lanes, WarpgroupProduct& p) {
  p.fragment = 0;
  while (p.fragment < int(w.fragments.size()) && w.fragments[size_t(p.fragment)].used) ++p.fragment;
  if (p.fragment == int(w.fragments.size())) w.fragments.emplace_back();
  Fragment& f = w.fragments[size_t(p.fragment)];
  f.used = true;
  for (int l = 0; l < 32; ++l) {
    f.registers[l] = static_cast<Issue*>(lanes[l])->held;
    std::copy_n(f.registers[l], 4, f.values[l]);
  }
}
void check_held(BlockRunner& r, const Fragment& f) {
  for (int l = 0; l < 32; ++l)
    if (!std::equal(f.values[l], f.values[l] + 4, f.registers[l]))
      r.stop([&] { return "lane " + std::to_string(l) + " wrote to an operand of wgmma before it waited for the products"; });
}

void issue(Operands lanes) {
  BlockRunner& r = BlockRunner::here();
  const Issue& first = *static_cast<Issue*>(lanes[0]);
  WarpgroupProduct p = first.product;
  for (const void* lane : lanes)
    if (!static_cast<const Issue*>(lane)->product.same(p))
      r.stop([&] { return std::string(name_of(p.kind)) + ": lanes of a warp name different operands"; });
  WarpProducts& w = r.products();
  if (!w.fenced) r.stop([&] { return std::string(name_of(p.kind)) + " without wgmma_fence before it"; });
  WarpgroupLog& log = r.log();
  if (size_t(w.issued) == log.products.size()) log.products.push_back(p);
  else if (!log.products[size_t(w.issued)].same(p))
    r.stop([&] { return std::string(name_of(p.kind)) + ": warps of a warpgroup multiply different operands"; });
  ++w.issued;
  const Matrix b(p.b, p.by_columns());
  const int b_rows = p.by_columns() ? 16 : p.columns, b_pieces = p.by_columns() ? p.columns / 8 : 2;
  if (p.held) hold(w, lanes, p);
  else check_operand(r, p, Matrix(p.a), int(threadIdx.x) / 32 % 4 * 16, 16, 2);
  check_operand(r, p, b, 0, b_rows, b_pieces);
  if (threadIdx.x / 32 % 4 == 0) {
    ++r.counts().products;
    if (Counting::alive()) {
      if (!p.held) count(r, Matrix(p.a), 64, 2);
      count(r, b, b_rows, b_pieces);
    }
  }
  ++sum_of(w, lanes, first, p).uses;
  w.groups.back().push_back(p);
}

// `rows` rows of k of an operand: element k of row r goes to into[r * of_row + k * of_depth].
template <Kind kKind>
void read_rows(BlockRunner& r, uint64_t descriptor, int first, int rows, double* into, int of_row, int of_depth) {
  const Matrix m(descriptor);
  constexpr int kHalves = kKind == Kind::tf32 ? 1 : 2;
  for (int row = 0; row < rows; ++row)
    for (int piece = 0; piece < 2; ++piece) {
      uint32_t words[4];
      std::memcpy(words, r.at(m.place(first + row, piece)), 16);
      double* const values = into + row * of_row + piece * 4 * kHalves * of_depth;
      for (int e = 0; e < 4 * kHalves; ++e) values[e * of_depth] = double(element<kKind>(words[e / kHalves], e % kHalves));
    }
}

// b of 16-bit elements that lies as rows of k.
template <Kind kKind>
void read_columns(BlockRunner& r, uint64_t descriptor, int columns, double* into) {
  const Matrix m(descriptor, true);
  for (int k = 0; k < 16; ++k)
    for (int piece = 0; piece < columns / 8; ++piece) {
      uint32_t words[4];
      std::memcpy(words, r.at(m.place(k, piece)), 16);
      for (int e = 0; e < 8; ++e) into[k * columns + piece * 8 + e] = element<kKind>(words[e / 2], e % 2);
    }
}

// The 16 rows of a that the lanes of a warp hold.
template <Kind kKind>
void read_held(const Fragment& f, double* into) {
  constexpr int kHalves = kKind == Kind::tf32 ? 1 : 2, kDepth = 8 * kHalves;
  for (int l = 0; l < 32; ++l)
    for (int i = 0; i < 4; ++i)
      for (int h = 0; h < kHalves; ++h)
        into[(l / 4 + i % 2 * 8) * kDepth + l % 4 * kHalves + h + i / 2 * 4 * kHalves] = element<kKind>(f.values[l][i], h);
}

template <Kind kKind>
void multiply(BlockRunner& r, const WarpProducts& w, const WarpgroupProduct& p, Sum& s) {
  constexpr int kDepth = kKind == Kind::tf32 ? 8 : 16;
  double a[16 * kDepth], b[kDepth * 256];  // {row, k}, {k, column}
  if (p.held) read_held<kKind>(w.fragments[size_t(p.fragment)], a);
  else read_rows<kKind>(r, p.a, int(threadIdx.x) / 32 % 4 * 16, 16, a, kDepth, 1);
  if (p.by_columns()) read_columns<kKind>(r, p.b, p.columns, b);
  else read_rows<kKind>(r, p.b, 0, p.columns, b, 1, p.columns);
  if (!p.accumulate) std::fill(s.values.begin(), s.values.end(), 0.f);
  for (int row = 0; row < 16; ++row) add_products(a + row * kDepth, b, kDepth, p.columns, s.values.data() + row * p.columns);
}

struct Wait {
  int pending;
};
void finish(Operands lanes) {
  BlockRunner& r = BlockRunner::here();
  WarpProducts& w = r.products();
  const int pending = static_cast<Wait*>(lanes[0])->pending, done = int(w.groups.size()) - 1 - pending;
  for (const Sum& s : w.sums) check_untouched(r, s);
  for (int g = 0; g < done; ++g)
    for (const WarpgroupProduct& p : w.groups[size_t(g)]) {
      Sum& s = w.sums[size_t(p.sum)];
      if (p.held) check_held(r, w.fragments[size_t(p.fragment)]);
      if (p.kind == Kind::bf16) multiply<Kind::bf16>(r, w, p, s);
      else if (p.kind == Kind::f16) multiply<Kind::f16>(r, w, p, s);
      else multiply<Kind::tf32>(r, w, p, s);
      --s.uses;
      if (p.held) w.fragments[size_t(p.fragment)].used = false;
    }
  if (done > 0) w.groups.erase(w.groups.begin(), w.groups.begin() + done);
  w.fenced = false;
  // Sums that nothing adds to any more go back to the threads.
  bool all = true;
  for (const Sum& s : w.sums) all = all && s.uses == 0;
  if (!all) return;
  for (const Sum& s : w.sums)
    for (int l = 0; l < 32; ++l)
      for_registers(l, s.count, [&](int i, int row, int column) { s.registers[l][i] = s.values[size_t(row * 2 * s.count + column)]; });
  w.sums.clear();
}

void product(Kind kind, float* d, int columns, uint64_t a, uint64_t b, bool accumulate, const uint32_t* held = nullptr) {
  BlockRunner& r = BlockRunner::here();
  if (Device::instance().architecture() != 90) r.stop([&] { return std::string(name_of(kind)) + " is of sm_90a alone"; });
  if (blockDim.x % 128) r.stop([&] { return std::string(name_of(kind)) + ": a block of threads that are no whole warpgroups"; });
  Issue one{{a, b, columns, kind, accumulate, held != nullptr}, d, held};
  collective(name_of(kind), 0xffffffffu, &one, issue, {name_of(kind), columns});
}

}  // namespace

uint32_t shared_offset(const void* p) {
  BlockRunner& r = BlockRunner::here();
  const uint32_t at = r.offset(p, "a descriptor of a matrix");
  if (at % 16) r.stop([] { return std::string("a descriptor of a matrix: its address is not a multiple of 16"); });
  return at;
}
void check_pitches(int across, int down) {
  if (across % 16 || down % 16 || across < 0 || down < 0 || across >= 1 << 18 || down >= 1 << 18)
    BlockRunner::here().stop([&] {
      return "a descriptor of a matrix: pitches of " + std::to_string(across) + " and " + std::to_string(down) +
             " bytes, multiples of 16 below 2^18 are possible";
    });
}
void wait_for_products(int pending) {
  Wait w{pending};
  collective("wgmma.wait_group", 0xffffffffu, &w, finish, {"wgmma.wait_group", pending});
}

}  // namespace emulator

void wgmma_fence() {
  emulator::collective("wgmma.fence", 0xffffffffu, nullptr,
                       [](emulator::Operands) { emulator::BlockRunner::here().products().fenced = true; }, {"wgmma.fence", 0});
}
void wgmma_commit() {
  emulator::collective("wgmma.commit_group", 0xffffffffu, nullptr,
                       [](emulator::Operands) { emulator::BlockRunner::here().products().groups.emplace_back(); },
                       {"wgmma.commit_group", 0});
}

#define VOXGRAD_PRODUCT(name, kind, columns)                                               \
  void name(float (&d)[columns / 2], uint64_t a, uint64_t b, bool accumulate) {            \
    emulator::product(emulator::Kind::kind, d, columns, a, b, accumulate);                 \
  }
#define VOXGRAD_HELD_PRODUCT(name, kind, columns)                                          \
  void name(float (&d)[columns / 2], const uint32_t (&a)[4], uint64_t b, bool accumulate) { \
    emulator::product(emulator::Kind::kind, d, columns, 0, b, accumulate, a);              \
  }
#define VOXGRAD_PRODUCTS(product, of, columns) \
  product(of##bf16, bf16, columns) product(of##f16, f16, columns)
#define VOXGRAD_COLUMNS(columns) VOXGRAD_PRODUCTS(VOXGRAD_PRODUCT, wgmma_, columns) VOXGRAD_PRODUCT(wgmma_tf32, tf32, columns)
#define VOXGRAD_HELD_COLUMNS(columns) \
  VOXGRAD_PRODUCTS(VOXGRAD_HELD_PRODUCT, wgmma_columns_, columns) VOXGRAD_HELD_PRODUCT(wgmma_rows_tf32, tf32, columns)
VOXGRAD_COLUMNS(32) VOXGRAD_COLUMNS(64) VOXGRAD_COLUMNS(96) VOXGRAD_COLUMNS(128) VOXGRAD_COLUMNS(160)
VOXGRAD_HELD_COLUMNS(32) VOXGRAD_HELD_COLUMNS(64) VOXGRAD_HELD_COLUMNS(96)

}  // namespace voxgrad
