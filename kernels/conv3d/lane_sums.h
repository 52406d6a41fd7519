// Sums over the lanes of several vectors. Included inside the namespace of one instruction set.

// Lane i of the result is the sum over the lanes of v[i]; destroys v.
template <class A>
VOXGRAD_INLINE Vector<A> sums_of_lanes(Vector<A> (&v)[kLanes<A>]) {
  constexpr int L = kLanes<A>;
  Mask<A> even, odd;
  for (int l = 0; l < L; ++l) even[l] = 2 * l, odd[l] = 2 * l + 1;
#pragma GCC unroll 8
  for (int count = L; count > 1; count /= 2)
#pragma GCC unroll 8
    for (int i = 0; i < count / 2; ++i)
      v[i] = __builtin_shuffle(v[2 * i], v[2 * i + 1], even) + __builtin_shuffle(v[2 * i], v[2 * i + 1], odd);
  return v[0];
}
