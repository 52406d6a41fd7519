#include "core/device/isa.h"

#include <cstdlib>
#include <string>

#include "core/error.h"

namespace voxgrad {
namespace {
constexpr const char* kNames[] = {"baseline", "avx2", "avx512", "avx512_bf16"};

Isa initial_isa() {
  const char* text = std::getenv("VOXGRAD_ISA");
  if (!text) return best_isa();
  for (int i = 0; i < 4; ++i)
    if (std::string(text) == kNames[i]) {
      check(Isa(i) <= best_isa(), "VOXGRAD_ISA: this machine has ", kNames[int(best_isa())], " at most, not ", text);
      return Isa(i);
    }
  fail("VOXGRAD_ISA: \"", text, "\" is none of baseline, avx2, avx512, avx512_bf16");
}
Isa& current() {
  static Isa isa = initial_isa();
  return isa;
}
}  // namespace

const char* name_of(Isa i) { return kNames[int(i)]; }

Isa best_isa() {
#if defined(__x86_64__) && !defined(VOXGRAD_BASELINE_ONLY)
  static const Isa best = [] {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
    return bf16 ? Isa::avx512_bf16 : avx512 ? Isa::avx512 : avx2 ? Isa::avx2 : Isa::baseline;
  }();
  return best;
#else
  return Isa::baseline;
#endif
}

Isa isa() { return current(); }
void set_isa(Isa i) {
  check(i <= best_isa(), "set_isa: this machine has ", kNames[int(best_isa())], " at most, not ", kNames[int(i)]);
  current() = i;
}

}  // namespace voxgrad
