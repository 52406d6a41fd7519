#include "core/tensor.h"

#include "core/convert.h"
#include "core/print.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE("an axis beyond the rank is refused") {
  const Shape s = {2, 3};
  CHECK(s[-2] == 2);
  CHECK_THROWS_WITH(s[2], Contains("axis 2") && Contains("{2, 3}"));
  CHECK_THROWS_WITH(s[-3], Contains("axis -3"));
  CHECK_THROWS_WITH(Tensor::zeros({4}).dim(7), Contains("axis 7") && Contains("{4}"));
  CHECK_THROWS_WITH(Shape(std::vector<int64_t>(9, 1)), Contains("9 axes"));
  CHECK(Shape(std::vector<int64_t>{2, 3}) == s);
}

TEST_CASE("values that do not fit a dtype are refused with their place") {
  const auto from = [](double v, DType t) { return Tensor::from({1, v}, {2}, t); };
  CHECK_THROWS_WITH(from(300, DType::u8), Contains("value 1 is 300") && Contains("u8"));
  CHECK_THROWS_WITH(from(-1, DType::u8), Contains("is -1"));
  CHECK_THROWS_WITH(from(0.5, DType::i16), Contains("is 0.5") && Contains("i16"));
  CHECK_THROWS_WITH(from(1e10, DType::i32), Contains("i32"));
  CHECK_THROWS_WITH(from(0x1p63, DType::i64), Contains("i64"));
  CHECK_THROWS_WITH(from(NAN, DType::i32), Contains("nan"));
  CHECK_THROWS_WITH(from(1e39, DType::f32), Contains("f32"));
  CHECK_THROWS_WITH(from(1e5, DType::f16), Contains("f16"));
  CHECK(from(255, DType::u8).values()[1] == 255);
  CHECK(from(-0x1p63, DType::i64).values()[1] == -0x1p63);
  CHECK(from(0.1, DType::f32).values()[1] == double(0.1f));
  CHECK(std::isinf(from(INFINITY, DType::f16).values()[1]));
  CHECK_THROWS_WITH(Tensor::from({1, 2, 3}, {2}), Contains("3 values") && Contains("{2}"));
}

TEST_CASE("a number that does not fit a dtype fills no tensor") {
  for (const double v : {300.0, -1.0, 0.5, double(NAN)})
    CHECK_THROWS_WITH(Tensor::full({2}, v, DType::u8), StartsWith("full: ") && Contains("u8"));
  CHECK_THROWS_WITH(Tensor::scalar(NAN, DType::i64), Contains("nan") && Contains("i64"));
  CHECK_THROWS_WITH(Tensor::full({2}, 1e5, DType::f16), Contains("100000") && Contains("f16"));
  CHECK(std::isnan(Tensor::scalar(NAN).item()));
}

TEST_CASE("an absent tensor has no element and no other shape") {
  CHECK_THROWS_WITH(Tensor{}.item(), Contains("item") && Contains("an absent tensor"));
  CHECK_THROWS_WITH(Tensor{}.reshape({1}), Contains("reshape") && Contains("an absent tensor"));
}

TEST_CASE("tensors from and to host memory of any dtype") {
  CHECK(Tensor::from({1.5, 2}, {2}).dtype() == DType::f32);
  const std::vector<int64_t> large = {int64_t(1) << 62, -3};
  const Tensor t = Tensor::from(large, {2});
  CHECK(t.dtype() == DType::i64);
  CHECK(t.to_vector<int64_t>() == large);
  CHECK(t.to_vector<uint8_t>() == std::vector<uint8_t>{255, 0});
  float some[] = {1.5f, 2.5f, -1};
  CHECK(Tensor::from(std::span<float>(some), {3, 1}).shape() == Shape{3, 1});
  CHECK(Tensor::from(std::span<const float>(some), {3}).to_vector<int32_t>() == std::vector<int32_t>{2, 2, -1});
  const double exact[] = {0.1};
  CHECK(Tensor::from(std::span(exact, 1), {1}).dtype() == DType::f64);
  CHECK(Tensor::from(std::span(exact), {1}).values() == std::vector<double>{0.1});
  const std::array<int16_t, 2> small = {1, -2};
  CHECK(Tensor::from(std::span(small), {2}).to_vector<int16_t>()[1] == -2);
  CHECK_THROWS_WITH(Tensor::from(std::vector<float>{1}, {2}), Contains("1 values"));
  CHECK(Tensor::arange(3, DType::i64).to_vector<int64_t>() == std::vector<int64_t>{0, 1, 2});
  CHECK(Tensor::eye(2).values() == std::vector<double>{1, 0, 0, 1});
  CHECK_THROWS_AS(Tensor::zeros({2}).mutable_data<double>(), Error);
}

TEST_CASE("i64 is cast, filled, moved and read") {
  const Tensor t = Tensor::full({2, 3}, -7, DType::i64);
  CHECK(t.bytes() == 48);
  CHECK(t.to(DType::i16).values() == std::vector<double>(6, -7));
  CHECK(Tensor::from({2.5, -1e30, 1e30, NAN}, {4}).to(DType::i64).to_vector<int64_t>() == std::vector<int64_t>{2, INT64_MIN, INT64_MAX, 0});
  CHECK(Tensor::arange(6, DType::i64).reshape({2, 3}).to(DType::f32).values() == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(permute(Tensor::arange(6, DType::i64).reshape({2, 3}), {1, 0}).values() == std::vector<double>{0, 3, 1, 4, 2, 5});
  CHECK_THROWS_WITH(Tensor(t).require_grad(), Contains("i64"));
}

TEST_CASE("eight axes are permuted and reduced") {
  const Tensor x = Tensor::arange(256).reshape({2, 2, 2, 2, 2, 2, 2, 2});
  const Tensor y = permute(x, {7, 1, 5, 3, 4, 2, 6, 0});
  CHECK(y.values()[1] == 128);
  CHECK(y.values()[128] == 1);
  CHECK(permute(y, {7, 1, 5, 3, 4, 2, 6, 0}).values() == x.values());
  CHECK(sum(x, {0, 2, 4, 6}).values()[0] == 16.0 * (128 + 32 + 8 + 2) / 2);
}

TEST_CASE("one extent of reshape is what is left") {
  const Tensor x = Tensor::arange(12);
  CHECK(x.reshape({3, -1}).shape() == Shape{3, 4});
  CHECK(x.reshape({-1}).shape() == Shape{12});
  CHECK_THROWS_WITH(x.reshape({5, -1}), Contains("12 elements") && Contains("{5, -1}"));
  CHECK_THROWS_WITH(x.reshape({-1, -1}), Contains("{-1, -1}"));
  CHECK_THROWS_AS(x.reshape({-2, -6}), Error);
}

TEST_CASE("tensors are printed as NumPy does") {
  CHECK(to_string(Tensor::from({1, 2.5, -3, 4}, {2, 2})) == "[[  1, 2.5],\n [ -3,   4]]");
  CHECK(to_string(Tensor::scalar(2)) == "2");
  CHECK(to_string(Tensor::arange(1000, DType::i64)) == "[  0,   1,   2, ..., 997, 998, 999]");
  CHECK(to_string(Tensor::zeros({0, 2})) == "[]");
  CHECK(to_string({}) == "an absent tensor");
  CHECK(to_string(Tensor::from({NAN, -NAN}, {2})) == "[nan, nan]");
  CHECK(describe(Tensor::from({INFINITY, -INFINITY}, {2})) == "f32 {2} on cpu: min -inf, max inf, mean nan, no NaN\n[ inf, -inf]");
  CHECK(to_string(Tensor::arange(16).reshape({4, 4}), {.most = 10, .edge = 1}) == "[[ 0, ...,  3],\n ...,\n [12, ..., 15]]");
  CHECK(describe(Tensor::from({1, NAN, 4, 0.5}, {4})) == "f32 {4} on cpu: min 0.5, max 4, mean 1.83333, 1 NaN\n[  1, nan,   4, 0.5]");
  CHECK(describe(Tensor::zeros({0})) == "f32 {0} on cpu");
}
