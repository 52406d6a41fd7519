#pragma once

namespace voxgrad {

// Instruction sets of x86-64 that kernels have variants for, each containing the ones before it.
enum class Isa { baseline, avx2, avx512, avx512_bf16 };

const char* name_of(Isa);
// The best one that this machine has.
Isa best_isa();
// The one in use: best_isa(), or VOXGRAD_ISA=baseline|avx2|avx512|avx512_bf16 from the environment (an error if the machine lacks it).
Isa isa();
// Replaces it, for tests and benchmarks of one variant.
void set_isa(Isa);

}  // namespace voxgrad
