// Included after Eigen, inside a namespace per instruction set; see core/device/isa.h.

template <int kOrderA, int kOrderB, class A>
void product(const GemmTile& p, const A* a, const A* b, A* c) {
  using RowMajor = Eigen::Matrix<A, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using MatrixA = Eigen::Matrix<A, Eigen::Dynamic, Eigen::Dynamic, kOrderA>;
  using MatrixB = Eigen::Matrix<A, Eigen::Dynamic, Eigen::Dynamic, kOrderB>;
  using Stride = Eigen::OuterStride<>;
  const Eigen::Map<const MatrixA, 0, Stride> left(a, p.m, p.k, Stride(p.a_stride));
  const Eigen::Map<const MatrixB, 0, Stride> right(b, p.k, p.n, Stride(p.b_stride));
  Eigen::Map<RowMajor, 0, Stride> result(c, p.m, p.n, Stride(p.c_stride));
  result.noalias() = left * right;
}

// A transposed row-major matrix is a column-major one.
template <class A>
void product_of(const GemmTile& p, const A* a, const A* b, A* c) {
  constexpr int kRow = Eigen::RowMajor, kColumn = Eigen::ColMajor;
  if (p.transpose_a) p.transpose_b ? product<kColumn, kColumn>(p, a, b, c) : product<kColumn, kRow>(p, a, b, c);
  else p.transpose_b ? product<kRow, kColumn>(p, a, b, c) : product<kRow, kRow>(p, a, b, c);
}
