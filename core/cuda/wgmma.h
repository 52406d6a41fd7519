#pragma once
// Products of a warpgroup, of operands in shared memory: instructions of sm_90a, used within VOXGRAD_SM90 alone (core/cuda/transactions.h).
// Elsewhere tests/emulator defines what is declared here.
#include <cstdint>

#include "core/cuda/transactions.h"

namespace voxgrad {

#ifdef __CUDACC__
__device__ __forceinline__ uint32_t shared_offset(SharedAddress p) { return p.value(); }
#else
namespace emulator {
uint32_t shared_offset(const void* p);
void check_pitches(int across, int down);
}  // namespace emulator
inline uint32_t shared_offset(SharedAddress p) { return emulator::shared_offset(p.value()); }
#endif

// A matrix of rows of 32 bytes of elements, which a product multiplies along: eight rows lie side by side, as pieces of 16 bytes without a
// swizzle or as rows of its length with one. `across`: bytes from the first 16 bytes of a row to the other ones, without a swizzle;
// `down`: from eight rows to the next eight. All are multiples of 16. Adding n moves the matrix by 16 n bytes.
__device__ inline uint64_t matrix_descriptor(SharedAddress first, int across, int down, Swizzle swizzle = Swizzle::none) {
#ifndef __CUDACC__
  emulator::check_pitches(across, down);
#endif
  const auto field = [](uint32_t bytes) { return uint64_t((bytes & 0x3ffff) >> 4); };
  return field(shared_offset(first)) | field(uint32_t(across)) << 16 | field(uint32_t(down)) << 32 | uint64_t(swizzle) << 62;
}

// Before products whose sums, or operands in registers, the threads have touched. By whole warpgroups, as all that follows.
VOXGRAD_PTX(void wgmma_fence(), asm volatile("wgmma.fence.sync.aligned;" ::: "memory");)
// Ends the group of the products since the last call.
VOXGRAD_PTX(void wgmma_commit(), asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");)
#ifdef __CUDACC__
// Waits until at most kPending of the latest groups are under way.
template <int kPending>
__device__ __forceinline__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}
#else
namespace emulator {
void wait_for_products(int pending);
}
template <int kPending>
void wgmma_wait() {
  emulator::wait_for_products(kPending);
}
#endif

// d {64, columns} (+)= a {64, k} b {columns, k}^T of 32 bytes along k, summed in f32 and beside the threads' own work. Warp w of the
// warpgroup has rows 16 w to 16 w + 15; lane l of row l / 4 (d[4 j], d[4 j + 1]) and l / 4 + 8 (d[4 j + 2], d[4 j + 3]) columns
// 8 j + 2 (l % 4), + 1. tf32 reads f32 without the lowest 13 bits.
#define VOXGRAD_8(d, i) \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define VOXGRAD_16(d, i) VOXGRAD_8(d, i), VOXGRAD_8(d, i + 8)
#define VOXGRAD_32(d, i) VOXGRAD_16(d, i), VOXGRAD_16(d, i + 16)
#define VOXGRAD_48(d, i) VOXGRAD_32(d, i), VOXGRAD_16(d, i + 32)
#define VOXGRAD_64(d, i) VOXGRAD_32(d, i), VOXGRAD_32(d, i + 32)
#define VOXGRAD_80(d, i) VOXGRAD_64(d, i), VOXGRAD_16(d, i + 64)
#define VOXGRAD_NAMES_16 \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define VOXGRAD_NAMES_32 \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29," \
  "%30,%31"
#define VOXGRAD_NAMES_48 VOXGRAD_NAMES_32 \
  ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47"
#define VOXGRAD_NAMES_64 \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29," \
  "%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56," \
  "%57,%58,%59,%60,%61,%62,%63"
#define VOXGRAD_NAMES_80 \
  "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29," \
  "%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56," \
  "%57,%58,%59,%60,%61,%62,%63,%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79"
#define VOXGRAD_PRODUCT(name, shape, kinds, tail, registers, a_at, b_at, scale_at)                                                        \
  VOXGRAD_PTX(void name(float (&d)[registers], uint64_t a, uint64_t b, bool accumulate),                                               \
              asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " scale_at ", 0;\nwgmma.mma_async.sync.aligned." shape ".f32." kinds " {"   \
                           VOXGRAD_NAMES_##registers "}, " a_at ", " b_at ", p, 1, 1" tail ";\n}"                                      \
                           : VOXGRAD_##registers(d, 0) : "l"(a), "l"(b), "r"(int(accumulate)));)
#define VOXGRAD_PRODUCTS(columns, registers, a_at, b_at, scale_at)                                                                       \
  VOXGRAD_PRODUCT(wgmma_bf16, "m64n" #columns "k16", "bf16.bf16", ", 0, 0", registers, a_at, b_at, scale_at)                             \
  VOXGRAD_PRODUCT(wgmma_f16, "m64n" #columns "k16", "f16.f16", ", 0, 0", registers, a_at, b_at, scale_at)                                \
  VOXGRAD_PRODUCT(wgmma_tf32, "m64n" #columns "k8", "tf32.tf32", "", registers, a_at, b_at, scale_at)
VOXGRAD_PRODUCTS(32, 16, "%16", "%17", "%18")
VOXGRAD_PRODUCTS(64, 32, "%32", "%33", "%34")
VOXGRAD_PRODUCTS(96, 48, "%48", "%49", "%50")
VOXGRAD_PRODUCTS(128, 64, "%64", "%65", "%66")
VOXGRAD_PRODUCTS(160, 80, "%80", "%81", "%82")
#undef VOXGRAD_PRODUCTS
#undef VOXGRAD_PRODUCT

// The same of an `a` in registers, as the a of m16n8 products of each warp (core/cuda/ptx.h), which stay as they are until the products are
// done. b of 16-bit types {k, columns}: eight rows of k lie side by side, as pieces of 16 bytes of columns; `across` of the descriptor is
// from eight rows of k to the next eight, `down` from eight columns to the next. b of tf32 is {columns, k} as above.
#define VOXGRAD_PRODUCT(name, shape, kinds, tail, registers, a0, a1, a2, a3, b_at, scale_at)                                             \
  VOXGRAD_PTX(void name(float (&d)[registers], const uint32_t (&a)[4], uint64_t b, bool accumulate),                                    \
              asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, " scale_at ", 0;\nwgmma.mma_async.sync.aligned." shape ".f32." kinds " {"   \
                           VOXGRAD_NAMES_##registers "}, {" a0 "," a1 "," a2 "," a3 "}, " b_at ", p, 1, 1" tail ";\n}"                 \
                           : VOXGRAD_##registers(d, 0)                                                                                  \
                           : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(int(accumulate)));)
#define VOXGRAD_PRODUCTS(columns, registers, ...)                                                                                        \
  VOXGRAD_PRODUCT(wgmma_columns_bf16, "m64n" #columns "k16", "bf16.bf16", ", 1", registers, __VA_ARGS__)                                \
  VOXGRAD_PRODUCT(wgmma_columns_f16, "m64n" #columns "k16", "f16.f16", ", 1", registers, __VA_ARGS__)                                   \
  VOXGRAD_PRODUCT(wgmma_rows_tf32, "m64n" #columns "k8", "tf32.tf32", "", registers, __VA_ARGS__)
VOXGRAD_PRODUCTS(32, 16, "%16", "%17", "%18", "%19", "%20", "%21")
VOXGRAD_PRODUCTS(64, 32, "%32", "%33", "%34", "%35", "%36", "%37")
VOXGRAD_PRODUCTS(96, 48, "%48", "%49", "%50", "%51", "%52", "%53")
#undef VOXGRAD_PRODUCTS
#undef VOXGRAD_PRODUCT
#undef VOXGRAD_NAMES_16
#undef VOXGRAD_NAMES_32
#undef VOXGRAD_NAMES_48
#undef VOXGRAD_NAMES_64
#undef VOXGRAD_NAMES_80
#undef VOXGRAD_8
#undef VOXGRAD_16
#undef VOXGRAD_32
#undef VOXGRAD_48
#undef VOXGRAD_64
#undef VOXGRAD_80

template <class T, int kRegisters>
__device__ inline void wgmma_of(float (&d)[kRegisters], uint64_t a, uint64_t b, bool accumulate) {
  if constexpr (dtype_of<T> == DType::bf16) wgmma_bf16(d, a, b, accumulate);
  else if constexpr (dtype_of<T> == DType::f16) wgmma_f16(d, a, b, accumulate);
  else wgmma_tf32(d, a, b, accumulate);
}

// The product with `a` in registers.
template <class T, int kRegisters>
__device__ inline void wgmma_held(float (&d)[kRegisters], const uint32_t (&a)[4], uint64_t b, bool accumulate) {
  if constexpr (dtype_of<T> == DType::bf16) wgmma_columns_bf16(d, a, b, accumulate);
  else if constexpr (dtype_of<T> == DType::f16) wgmma_columns_f16(d, a, b, accumulate);
  else wgmma_rows_tf32(d, a, b, accumulate);
}

}  // namespace voxgrad
