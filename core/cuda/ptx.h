#pragma once
// Instructions of the GPU that C++ does not have. Under nvcc they are inline assembly (sm_80 and later); elsewhere tests/emulator defines
// what is declared here. Fragments of matrices are as in the PTX manual, section "Warp Level Matrix Multiply-Accumulate Instructions":
// lane l holds rows l / 4 (+ 8) and the columns that start at l % 4, two 16-bit values or one tf32 value per register.
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// An address of shared memory.
class SharedAddress {
 public:
#ifdef __CUDACC__
  __device__ explicit SharedAddress(const void* p) : at_(uint32_t(__cvta_generic_to_shared(p))) {}
  __device__ uint32_t value() const { return at_; }
#else
  explicit SharedAddress(const void* p) : at_(reinterpret_cast<uintptr_t>(p)) {}
  void* value() const { return reinterpret_cast<void*>(at_); }
#endif
  __device__ SharedAddress operator+(int bytes) const {
    SharedAddress moved = *this;
    moved.at_ += bytes;
    return moved;
  }

 private:
#ifdef __CUDACC__
  uint32_t at_;
#else
  uintptr_t at_;
#endif
};

// An instruction as a function: of headers in core/cuda.
#ifdef __CUDACC__
#define VOXGRAD_PTX(declaration, ...) \
  __device__ __forceinline__ declaration { __VA_ARGS__ }
#else
#define VOXGRAD_PTX(declaration, ...) declaration;
#endif

// threadIdx.x, read anew: what is computed of it is not made earlier and kept in registers meanwhile.
VOXGRAD_PTX(int thread_read_anew(), int r; asm volatile("mov.u32 %0, %%tid.x;" : "=r"(r)); return r;)

// Loads 8 x 8 matrices of 16-bit elements, one per register: lane l gives the address of row l % 8 of matrix l / 8 (16 bytes, aligned) and
// gets of each matrix the elements 2 (l % 4) and 2 (l % 4) + 1 of row l / 4. `_transposed`: of the transposed matrices. All 32 lanes.
VOXGRAD_PTX(void ldmatrix_x4(uint32_t (&r)[4], SharedAddress row),
            asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                         : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row.value()) : "memory");)
VOXGRAD_PTX(void ldmatrix_x2(uint32_t (&r)[2], SharedAddress row),
            asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
                         : "=r"(r[0]), "=r"(r[1]) : "r"(row.value()) : "memory");)
VOXGRAD_PTX(void ldmatrix_x4_transposed(uint32_t (&r)[4], SharedAddress row),
            asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                         : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(row.value()) : "memory");)
VOXGRAD_PTX(void ldmatrix_x2_transposed(uint32_t (&r)[2], SharedAddress row),
            asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
                         : "=r"(r[0]), "=r"(r[1]) : "r"(row.value()) : "memory");)

// The four bytes of low and high (bytes 4 to 7) that the four lowest digits of `digits` name.
VOXGRAD_PTX(uint32_t chosen_bytes(uint32_t low, uint32_t high, uint32_t digits), uint32_t r;
            asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(low), "r"(high), "r"(digits)); return r;)

// d {16, 8} += a {16, k} b {k, 8} over the warp, summed in f32. k = 16 for bf16 and f16 (of `_k8` 8), k = 8 for tf32. All 32 lanes.
VOXGRAD_PTX(void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]),
            asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                         : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                         : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));)
VOXGRAD_PTX(void mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]),
            asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                         : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                         : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));)
VOXGRAD_PTX(void mma_bf16_k8(float (&d)[4], const uint32_t (&a)[2], uint32_t b),
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                         : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(b));)
VOXGRAD_PTX(void mma_f16_k8(float (&d)[4], const uint32_t (&a)[2], uint32_t b),
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
                         : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(b));)
VOXGRAD_PTX(void mma_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]),
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                         : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                         : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));)
// Rounded to the 10 bits of mantissa of tf32, ties away from zero.
VOXGRAD_PTX(uint32_t tf32_of(float v), uint32_t r; asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(v)); return r;)

// Two values rounded to 16 bits, the first one in the low half.
VOXGRAD_PTX(uint32_t pair_bf16(float low, float high), uint32_t r;
            asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low)); return r;)
VOXGRAD_PTX(uint32_t pair_f16(float low, float high), uint32_t r;
            asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low)); return r;)

// Sums and differences of pairs of 16 bits, each rounded once: what the f32 sum of two such values rounds to. bf16 by a product with one,
// since sm_80 has no other instruction for it.
VOXGRAD_PTX(uint32_t pair_sum_bf16(uint32_t a, uint32_t b), uint32_t r;
            asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(b), "r"(0x3f803f80u), "r"(a)); return r;)
VOXGRAD_PTX(uint32_t pair_difference_bf16(uint32_t a, uint32_t b), uint32_t r;
            asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(b), "r"(0xbf80bf80u), "r"(a)); return r;)
VOXGRAD_PTX(uint32_t pair_sum_f16(uint32_t a, uint32_t b), uint32_t r;
            asm("add.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r;)
VOXGRAD_PTX(uint32_t pair_difference_f16(uint32_t a, uint32_t b), uint32_t r;
            asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r;)

// Copies from global to shared memory beside the thread's own work, 4, 8 or 16 bytes, aligned; zeros instead where `valid` is false, and
// `from` then is not read. Written once the thread has waited for the group of the copy; visible to others after a barrier behind that.
VOXGRAD_PTX(void cp_async_16(SharedAddress into, const void* from, bool valid),
            asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(into.value()), "l"(from), "r"(valid ? 16 : 0) : "memory");)
VOXGRAD_PTX(void cp_async_8(SharedAddress into, const void* from, bool valid),
            asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" ::"r"(into.value()), "l"(from), "r"(valid ? 8 : 0) : "memory");)
VOXGRAD_PTX(void cp_async_4(SharedAddress into, const void* from, bool valid),
            asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(into.value()), "l"(from), "r"(valid ? 4 : 0) : "memory");)
// Ends the group of the copies issued since the last call.
VOXGRAD_PTX(void cp_async_commit(), asm volatile("cp.async.commit_group;" ::: "memory");)
#ifdef __CUDACC__
template <int kPending>
__device__ __forceinline__ void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}
#else
namespace emulator {
void wait_for_copies(int pending);
}
// Waits until at most kPending of the thread's latest groups are under way.
template <int kPending>
void cp_async_wait() {
  emulator::wait_for_copies(kPending);
}
#endif

// The mma of two-byte elements of T.
template <class T>
__device__ inline void mma_of(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if constexpr (dtype_of<T> == DType::bf16) mma_bf16(d, a, b);
  else mma_f16(d, a, b);
}

template <class T>
__device__ inline void mma_of(float (&d)[4], const uint32_t (&a)[2], uint32_t b) {
  if constexpr (dtype_of<T> == DType::bf16) mma_bf16_k8(d, a, b);
  else mma_f16_k8(d, a, b);
}

template <class T>
__device__ inline uint32_t pair_of(float low, float high) {
  if constexpr (dtype_of<T> == DType::bf16) return pair_bf16(low, high);
  else return pair_f16(low, high);
}

template <class T>
__device__ inline uint32_t pair_sum(uint32_t a, uint32_t b) {
  if constexpr (dtype_of<T> == DType::bf16) return pair_sum_bf16(a, b);
  else return pair_sum_f16(a, b);
}
template <class T>
__device__ inline uint32_t pair_difference(uint32_t a, uint32_t b) {
  if constexpr (dtype_of<T> == DType::bf16) return pair_difference_bf16(a, b);
  else return pair_difference_f16(a, b);
}

}  // namespace voxgrad
