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

// ns::SET::what of the set in use, for kernels that have units X_isa.cpp and X_isa_bf16.cpp (cmake/instruction_sets.cmake); X(SET) of it.
// With VOXGRAD_BASELINE_ONLY there is no other set.
#ifdef VOXGRAD_BASELINE_ONLY
#define VOXGRAD_ON_ISA(X) X(baseline)
#define VOXGRAD_BY_ISA(ns, what) (ns::baseline::what)
#define VOXGRAD_BY_ISA_BF16(ns, what) (ns::baseline::what)
#else
#define VOXGRAD_ON_ISA(X) (isa() >= Isa::avx512 ? X(avx512) : isa() >= Isa::avx2 ? X(avx2) : X(baseline))
#define VOXGRAD_BY_ISA(ns, what) (isa() >= Isa::avx512 ? ns::avx512::what : isa() >= Isa::avx2 ? ns::avx2::what : ns::baseline::what)
#define VOXGRAD_BY_ISA_BF16(ns, what) (isa() >= Isa::avx512_bf16 ? ns::avx512_bf16::what : VOXGRAD_BY_ISA(ns, what))
#endif

}  // namespace voxgrad
