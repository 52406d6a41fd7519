// The formula that f points to, which is compiled for each instruction set: a type of its own with the same bytes. Loops own it: what y is
// written to might be a parameter in memory, and loops with one would not be vectors, nor those with calls.
// Included inside the namespace of one instruction set, behind lanes.h; needs <array> and <bit>.
template <class F>
VOXGRAD_INLINE F own(const void* f) {
  std::array<unsigned char, sizeof(F)> bytes;
  __builtin_memcpy(bytes.data(), f, sizeof(F));
  return std::bit_cast<F>(bytes);
}
