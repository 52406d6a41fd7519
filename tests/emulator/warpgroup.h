#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace voxgrad::emulator {

enum class Kind { bf16, f16, tf32 };

// d {64, columns} += a b^T, of a warpgroup: operands by their descriptors.
struct WarpgroupProduct {
  uint64_t a, b;
  int columns;
  Kind kind;
  bool accumulate;
  bool held = false;    // a is in registers; b of 16 bits {k, columns}
  int sum = 0;          // which of the warp's sums
  int fragment = 0;     // and of its registers of a

  bool same(const WarpgroupProduct& o) const {
    return a == o.a && b == o.b && columns == o.columns && kind == o.kind && accumulate == o.accumulate && held == o.held;
  }
  bool by_columns() const { return held && kind != Kind::tf32; }
};

// Registers of a that products under way read.
struct Fragment {
  bool used = false;
  const uint32_t* registers[32];
  uint32_t values[32][4];
};

// Registers that products of a warp add to, taken away from the threads until they have waited.
struct Sum {
  float* registers[32] = {};
  int count = 0, uses = 0;  // registers of a lane; products under way
  std::vector<float> values;  // {row of the warp's 16, column}
};

// What a warp gave to the tensor cores and has not waited for.
struct WarpProducts {
  std::vector<std::vector<WarpgroupProduct>> groups = {{}};  // the last one is open
  std::vector<Sum> sums;
  std::vector<Fragment> fragments;
  bool fenced = false;
  int64_t issued = 0;

  bool idle() const { return groups.size() == 1 && groups[0].empty(); }
};

// Products of a warpgroup in their order: its four warps must ask for the same ones.
struct WarpgroupLog {
  std::vector<WarpgroupProduct> products;
};

}  // namespace voxgrad::emulator
