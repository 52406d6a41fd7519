#include <cmath>
#include <limits>

#include "core/graph.h"
#include "kernels/argmax/argmax.h"
#include "kernels/binary/binary.h"
#include "kernels/compare/compare.h"
#include "kernels/matmul/matmul.h"
#include "kernels/reduce/reduce.h"
#include "kernels/softmax/softmax.h"
#include "kernels/statistics/statistics.h"
#include "kernels/where/where.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
using Values = std::vector<double>;
Tensor row(const Values& v, DType t = DType::f32) { return Tensor::from(v, {int64_t(v.size())}, t); }
Values gradient_of(const std::function<Tensor(const Tensor&)>& f, const Values& at) {
  Tensor x = row(at).require_grad();
  const Tensor y = f(x);
  backward(y, Tensor::full(y.shape(), 1, y.dtype()));
  return x.grad().values();
}
}  // namespace

TEST_CASE("comparisons beside a NaN and infinities are those of IEEE 754") {
  const Tensor a = row({kNaN, 1, kInfinity, -kInfinity, 0}), b = row({kNaN, kNaN, kInfinity, kInfinity, -0.0});
  CHECK(equal(a, b).values() == Values{0, 0, 1, 0, 1});
  CHECK(not_equal(a, b).values() == Values{1, 1, 0, 1, 0});
  CHECK(less(a, b).values() == Values{0, 0, 0, 1, 0});
  CHECK(greater_equal(a, b).values() == Values{0, 0, 1, 0, 1});
  CHECK(isnan(a).values() == Values{1, 0, 0, 0, 0});
  CHECK(isfinite(a).values() == Values{0, 1, 0, 0, 1});
}

TEST_CASE("64-bit integers are compared as they are, not as numbers of 53 bits") {
  const int64_t big = int64_t(1) << 60;
  const Tensor a = Tensor::from(std::vector<int64_t>{big, big + 1}, {2}), b = Tensor::from(std::vector<int64_t>{big + 1, big + 1}, {2});
  CHECK(equal(a, b).values() == Values{0, 1});
  CHECK(less(a, b).values() == Values{1, 0});
  CHECK(where(less(a, b), a, b).to_vector<int64_t>() == std::vector<int64_t>{big, big + 1});
}

TEST_CASE("steps take halves to the even neighbour, keep a NaN, and have no gradient") {
  CHECK(voxgrad::round(row({0.5, 1.5, 2.5, -0.5, -1.5})).values() == Values{0, 2, 2, 0, -2});
  CHECK(sign(row({3, -2, 0})).values() == Values{1, -1, 0});
  CHECK(std::isnan(sign(row({kNaN})).item()));
  CHECK(gradient_of([](const Tensor& x) { return voxgrad::floor(x) + sign(x); }, {0.5, -3}) == Values{0, 0});
}

TEST_CASE("a power with base 0 or exponent 0 has finite gradients where they exist") {
  const auto of_base = [](double b) { return [b](const Tensor& x) { return power(x, row({b, b})); }; };
  CHECK(gradient_of(of_base(2), {0, 3}) == Values{0, 6});
  CHECK(gradient_of(of_base(0), {0, 3}) == Values{0, 0});
  CHECK(gradient_of([](const Tensor& x) { return power(row({0, 1}), x); }, {2, 5}) == Values{0, 0});
}

TEST_CASE("logsumexp of infinite elements is infinite, and they get no gradient") {
  const auto all = [](const Tensor& x) { return logsumexp(x, {0}); };
  CHECK(all(row({-kInfinity, -kInfinity})).item() == -kInfinity);
  CHECK(all(row({-kInfinity, 2})).item() == 2);
  CHECK(all(row({kInfinity, 2})).item() == kInfinity);
  CHECK(std::isnan(all(row({kNaN, 2})).item()));
  CHECK(gradient_of(all, {-kInfinity, -kInfinity}) == Values{0, 0});
  CHECK(gradient_of(all, {-kInfinity, 2}) == Values{0, 1});
}

TEST_CASE("statistics of equal elements have no gradient") {
  CHECK(gradient_of([](const Tensor& x) { return stddev(x); }, {2, 2, 2}) == Values{0, 0, 0});
  CHECK(gradient_of([](const Tensor& x) { return vector_norm(x); }, {0, 0}) == Values{0, 0});
}

TEST_CASE("equal extremes share a gradient, and with indices the first one has it") {
  CHECK(gradient_of([](const Tensor& x) { return min(x); }, {1, 3, 1}) == Values{0.5, 0, 0.5});
  CHECK(gradient_of([](const Tensor& x) { return vector_norm(x, VectorNorm::inf); }, {2, -2, 1}) == Values{0.5, -0.5, 0});
  CHECK(gradient_of([](const Tensor& x) { return min_with_indices(x, 0).values; }, {1, 3, 1}) == Values{1, 0, 0});
  const ValuesAndIndices largest = max_with_indices(row({1, kNaN, 5, kNaN}), 0);
  CHECK(std::isnan(largest.values.item()));
  CHECK(largest.indices.item() == 1);
  CHECK(!largest.indices.requires_grad());
}

TEST_CASE("the dtype of a pair is that of the activations, whichever operand they are") {
  const Tensor x = Tensor::zeros({2, 3}, DType::bf16), w = Tensor::zeros({2, 1});
  CHECK(add(x, w).dtype() == DType::bf16);
  CHECK(sub(w, x).dtype() == DType::bf16);
  CHECK(where(Tensor::zeros({2, 3}, DType::u8), w, x).dtype() == DType::bf16);
  CHECK(equal(Tensor::zeros({}, DType::bf16), 0).values() == Values{1});
}

TEST_CASE("the graph names axes") {
  const Tensor x = Tensor::zeros({2, 3}).require_grad();
  CHECK(describe_graph(softmax(x)).find("softmax(axis 1)") != std::string::npos);
  CHECK(describe_graph(var(x, {0})).find("axes [0]") != std::string::npos);
  CHECK(describe_graph(sum(x, {1}, {.keep = true})).find("axes [1], keep true") != std::string::npos);
}

TEST_CASE("the extreme of a long row, or of few long columns, is found wherever it lies, and so is a NaN") {
  for (const int64_t n : {4097, 5003, 16384, 40000})
    for (const int64_t place : {int64_t(0), int64_t(1), n / 2, n - 2, n - 1}) {
      Tensor x = Tensor::zeros({n, 1}), columns = Tensor::zeros({2, n, 3});
      x.mutable_data<float>()[size_t(place)] = 1;
      columns.mutable_data<float>()[size_t((n + place) * 3 + 1)] = -1;
      CHECK(max(x).item() == 1);
      CHECK(min(columns, {1}).values() == Values{0, 0, 0, 0, -1, 0});
      x.mutable_data<float>()[size_t(place)] = float(kNaN);
      CHECK(std::isnan(max(x).item()));
    }
}

TEST_CASE("softmax of no element is empty, logsumexp of none -inf") {
  for (const DType t : {DType::f32, DType::bf16, DType::f64}) {
    const Tensor x = Tensor::zeros({3, 0}, t).require_grad();
    for (int axis : {0, 1}) {
      CHECK(softmax(x, axis).shape() == Shape{3, 0});
      CHECK(log_softmax(x, axis).dtype() == t);
    }
    const Tensor y = logsumexp(x, {1}, {.keep = true});
    CHECK(y.shape() == Shape{3, 1});
    CHECK(y.values() == Values(3, -kInfinity));
    CHECK(y.dtype() == logsumexp(row({1}, t), {0}).dtype());
    CHECK(logsumexp(x, {0}).shape() == Shape{0});
    backward(sum(y) + sum(softmax(x)) + sum(softmax(x, 0)));
    CHECK(x.grad().shape() == x.shape());
  }
}

TEST_CASE("reductions of an empty kept axis are empty, forward and backward") {
  const Tensor x = Tensor::zeros({3, 0}).require_grad();
  for (const Tensor& y : {sum(x, {0}), max(x, {0}), var(x, {0}), prod(x, {0}), vector_norm(x, {0}), logsumexp(x, {0})}) {
    CHECK(y.shape() == Shape{0});
    backward(sum(y));
    CHECK(x.grad().shape() == x.shape());
  }
}
