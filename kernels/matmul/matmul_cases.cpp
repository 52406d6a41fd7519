#include "kernels/matmul/matmul.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(matmul) {
  // Blocks above 64 KiB are rounded up by more than the harness allows for: nothing is stated about them.
  const auto stated = [](int64_t bytes) { return bytes < 1 << 16 ? bytes : -1; };
  const auto add = [&](const char* name, const Shape& a, const Shape& b, const MatmulOptions& o, int64_t terms, bool bench = false) {
    cases.push_back({.op = "matmul", .name = name, .inputs = {{a}, {b}}, .run = [=](const Tensors& in) { return matmul(in[0], in[1], o); },
                     .reference =
                         [=](const HostArrays& in) {
                           const int64_t inner = a[o.transpose_a ? -2 : -1];
                           Shape s = a.with(-2, a[o.transpose_a ? -1 : -2]).with(-1, b[o.transpose_b ? -2 : -1]);
                           return HostArrays{host_array(s, [&](const Index& i) {
                             const size_t row = size_t(s.rank - 2), column = row + 1;
                             double sum = 0;
                             for (int64_t k = 0; k < inner; ++k) {
                               Index of_a = i, of_b = i;
                               of_a[row] = o.transpose_a ? k : i[row];
                               of_a[column] = o.transpose_a ? i[row] : k;
                               of_b[row] = o.transpose_b ? i[column] : k;
                               of_b[column] = o.transpose_b ? k : i[column];
                               sum += in[0][of_a] * in[1][of_b];
                             }
                             return sum;
                           })};
                         },
                     .terms = terms, .saved_bytes = stated((a.count() + b.count()) * 4), .bench = bench});
  };
  add("plain", {5, 7}, {7, 3}, {}, 7);
  add("a transposed", {7, 5}, {7, 3}, {.transpose_a = true}, 7);
  add("b transposed", {5, 7}, {3, 7}, {.transpose_b = true}, 7);
  add("both transposed", {7, 5}, {3, 7}, {.transpose_a = true, .transpose_b = true}, 7);
  add("batched", {3, 5, 7}, {3, 7, 4}, {}, 7);
  add("batched, both transposed", {3, 7, 5}, {3, 4, 7}, {.transpose_a = true, .transpose_b = true}, 7);
  add("several tiles", {150, 33}, {33, 270}, {}, 33);
  add("deep", {3, 9001}, {9001, 2}, {}, 9001);
  add("deep, both transposed", {9001, 3}, {2, 9001}, {.transpose_a = true, .transpose_b = true}, 9001);
  add("vectors", {1, 6}, {6, 1}, {}, 6);
  add("no terms", {2, 0}, {0, 3}, {}, 1);
  // Batches that repeat, and vectors: of shapes without transposition, each element by the definition.
  const auto add_batches = [&](const char* name, const Shape& a, const Shape& b, const Shape& result) {
    cases.push_back({.op = "matmul", .name = name, .inputs = {{a}, {b}},
                     .run = [](const Tensors& in) { return matmul(in[0], in[1]); },
                     .reference =
                         [=](const HostArrays& in) {
                           const int64_t inner = a[-1], columns = b.rank > 1 ? b[-1] : 1, rows = a.rank > 1 ? a[-2] : 1;
                           HostArray y{result, {}};
                           for (int64_t e = 0; e < result.count(); ++e) {
                             const int64_t column = e % columns, row = e / columns % rows, batch = e / columns / rows;
                             // Where the batch lies in an operand, axis by axis from the last one.
                             const auto place = [&](const Shape& s) {
                               int64_t rest = batch, at = 0, step = 1;
                               const int own = (a.rank > 1) + (b.rank > 1), axes = result.rank - own;
                               for (int k = 1; k <= axes; ++k) {
                                 const int64_t extent = result[-own - k], mine = k + 2 <= s.rank ? s[-2 - k] : 1;
                                 at += (mine == 1 ? 0 : rest % extent) * step;
                                 step *= mine;
                                 rest /= extent;
                               }
                               return at;
                             };
                             double sum = 0;
                             for (int64_t k = 0; k < inner; ++k)
                               sum += in[0].values[size_t((place(a) * rows + row) * inner + k)] *
                                      in[1].values[size_t((place(b) * inner + k) * columns + column)];
                             y.values.push_back(sum);
                           }
                           return HostArrays{y};
                         },
                     .terms = a[-1]});
  };
  add_batches("batches beside one matrix", {4, 3, 5, 7}, {7, 2}, {4, 3, 5, 2});
  add_batches("one matrix beside batches", {5, 7}, {4, 3, 7, 2}, {4, 3, 5, 2});
  add_batches("batches of two axes", {2, 3, 5, 7}, {2, 3, 7, 4}, {2, 3, 5, 4});
  add_batches("batches that repeat", {2, 1, 5, 7}, {3, 7, 4}, {2, 3, 5, 4});
  add_batches("batches that repeat in the middle", {2, 1, 3, 5, 4}, {1, 4, 1, 4, 2}, {2, 4, 3, 5, 2});
  add_batches("rank 8", {2, 1, 2, 1, 1, 2, 3, 2}, {1, 2, 1, 1, 2, 1, 2, 3}, {2, 2, 2, 1, 2, 2, 3, 3});
  add_batches("a matrix times a vector", {5, 7}, {7}, {5});
  add_batches("a vector times a matrix", {7}, {7, 5}, {5});
  add_batches("a vector times a vector", {7}, {7}, {});
  add_batches("batches times a vector", {3, 2, 5, 7}, {7}, {3, 2, 5});
  add_batches("a vector times batches", {7}, {3, 2, 7, 5}, {3, 2, 5});
  const auto add_linear = [&](const char* name, const Shape& x, int64_t k, bool bias, bool bench = false) {
    const int64_t c = x[-1];
    std::vector<OpInput> inputs = {{x}, {.shape = {k, c}, .role = Role::parameter}};
    if (bias) inputs.push_back({.shape = {k}, .role = Role::parameter});
    cases.push_back({.op = "linear", .name = name, .inputs = inputs,
                     .run = [bias](const Tensors& in) { return linear(in[0], in[1], bias ? in[2] : Tensor{}); },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray y{x.with(-1, k), {}};
                           for (int64_t row = 0; row < x.count() / c; ++row)
                             for (int64_t j = 0; j < k; ++j) {
                               double sum = bias ? in[2].at(j) : 0;
                               for (int64_t i = 0; i < c; ++i) sum += in[0].values[size_t(row * c + i)] * in[1].at(j, i);
                               y.values.push_back(sum);
                             }
                           return HostArrays{y};
                         },
                     .terms = c + 1,
                     .saved_bytes = stated((x.count() + k * c) * 4), .bench = bench});
  };
  add_linear("per voxel", {2, 3, 2, 4, 5}, 7, true);
  add_linear("no bias", {6, 5}, 3, false);
  add_linear("a vector", {5}, 3, true);
  add_linear("many rows", {9000, 3}, 2, true);
  add_linear("many channels", {3, 9000}, 2, true);
  add("512", {512, 512}, {512, 512}, {}, 512, true);
  add("2048", {2048, 2048}, {2048, 2048}, {}, 2048, true);
  add_linear("32 to 32, 64^3", {1, 64, 64, 64, 32}, 32, true, true);
  rejects.push_back({"matmul",
                     "inner extents",
                     [] {
                       matmul(Tensor::zeros({2, 3}), Tensor::zeros({2, 3}));
                     },
                     {"matmul", "{2, 3}", "inner"}});
  rejects.push_back({"matmul", "batches", [] { matmul(Tensor::zeros({2, 2, 3}), Tensor::zeros({3, 3, 2})); }, {"matmul", "batches"}});
  rejects.push_back({"matmul", "rank 0", [] { matmul(Tensor::zeros({}), Tensor::zeros({2})); }, {"matmul", "{2}"}});
  rejects.push_back({"matmul", "vectors", [] { matmul(Tensor::zeros({3}), Tensor::zeros({2})); }, {"matmul", "{3}", "{2}", "inner"}});
  rejects.push_back({"matmul",
                     "a transposed vector",
                     [] {
                       matmul(Tensor::zeros({2}), Tensor::zeros({2, 3}), {.transpose_a = true});
                     },
                     {"matmul", "vector", "transposed"}});
  rejects.push_back({"matmul", "two dtypes", [] { matmul(Tensor::zeros({2, 2}), Tensor::zeros({2, 2}, DType::f16)); }, {"matmul", "f16"}});
  rejects.push_back({"linear",
                     "another number of channels",
                     [] {
                       linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 2}));
                     },
                     {"linear", "{K, 3}"}});
  rejects.push_back({"linear", "half-precision weights",
                     [] { linear(Tensor::zeros({2, 3}, DType::f16), Tensor::zeros({4, 3}, DType::f16)); }, {"linear", "f32 {K, 3}"}});
  rejects.push_back({"linear", "a bias of another length",
                     [] { linear(Tensor::zeros({2, 3}), Tensor::zeros({4, 3}), Tensor::zeros({3})); }, {"linear", "bias", "{3}"}});
}
