#include "kernels/compare/compare.h"

#include <cmath>

#include "kernels/pointwise/pointwise.h"
#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(compare) {
  using Run = Tensor (*)(const Tensor&, const Tensor&);
  using Formula = std::function<double(double, double)>;
  // Labels have equal elements.
  const auto add = [&](const char* op, const char* how, std::function<Tensor(const Tensors&)> run, const OpInput& a, const OpInput& b,
                       const Formula& f) {
    cases.push_back({.op = op, .name = how, .inputs = {a, b}, .run = run, .reference = elementwise(f), .differentiable = false});
  };
  struct Op {
    const char* name;
    Run run;
    Formula formula;
  };
  const Op relations[] = {{"equal", equal, [](double a, double b) { return a == b; }},
                          {"not_equal", not_equal, [](double a, double b) { return a != b; }},
                          {"less", less, [](double a, double b) { return a < b; }},
                          {"less_equal", less_equal, [](double a, double b) { return a <= b; }},
                          {"greater", greater, [](double a, double b) { return a > b; }},
                          {"greater_equal", greater_equal, [](double a, double b) { return a >= b; }},
                          {"logical_and", logical_and, [](double a, double b) { return a * b > 0; }},
                          {"logical_or", logical_or, [](double a, double b) { return a + b > 0; }}};
  for (const Op& op : relations) {
    const auto run = [f = op.run](const Tensors& in) { return f(in[0], in[1]); };
    const OpInput labels = {.shape = {2, 3, 5, 4}, .role = Role::label, .low = 0, .high = 2};
    OpInput row = labels, column = labels;
    row.shape = {4};
    column.shape = {2, 1, 5, 1};
    add(op.name, "labels", run, labels, labels, op.formula);
    add(op.name, "labels, a row and a column", run, row, column, op.formula);
    if (std::string(op.name).starts_with("logical")) continue;
    add(op.name, "activations", run, {.shape = {3, 70}, .role = Role::constant}, {.shape = {3, 70}, .role = Role::constant}, op.formula);
    add(op.name, "activations and a threshold per channel", run, {.shape = {3, 7}, .role = Role::constant},
        {.shape = {7}, .role = Role::parameter}, op.formula);
    for (DType t : {DType::i16, DType::i32, DType::i64})
      add(op.name, name_of(t), [=, f = op.run](const Tensors& in) { return f(in[0].to(t), in[1].to(t)); }, labels, column, op.formula);
  }
  const auto beside = [&](const char* op, const char* how, std::function<Tensor(const Tensor&)> f, const OpInput& x,
                          std::function<double(double)> formula) {
    cases.push_back({.op = op, .name = how, .inputs = {x}, .run = [f](const Tensors& in) { return f(in[0]); },
                     .reference = elementwise(formula), .differentiable = false});
  };
  const OpInput labels = {.shape = {2, 3, 5, 4}, .role = Role::label, .low = 0, .high = 3};
  const OpInput values = {.shape = {3, 70}, .role = Role::constant};
  beside("equal", "a number", [](const Tensor& x) { return equal(x, 2); }, labels, [](double x) { return x == 2; });
  beside("not_equal", "a number", [](const Tensor& x) { return not_equal(x, 2); }, labels, [](double x) { return x != 2; });
  beside("less", "a number", [](const Tensor& x) { return less(x, 0.25); }, values, [](double x) { return x < 0.25; });
  beside("less_equal", "a number", [](const Tensor& x) { return less_equal(x, 1); }, labels, [](double x) { return x < 2; });
  beside("greater", "a number", [](const Tensor& x) { return greater(x, -0.25); }, values, [](double x) { return -x < 0.25; });
  beside("greater_equal", "a number", [](const Tensor& x) { return greater_equal(x, 1); }, labels, [](double x) { return x > 0; });
  beside("logical_not", "labels", logical_not, labels, [](double x) { return x == 0; });
  // Half of the values are negative: square roots that are NaN, logarithms of 0.
  const auto special = [](const Tensor& x) { return voxgrad::sqrt(x.detach()); };
  beside("isnan", "square roots", [=](const Tensor& x) { return isnan(special(x)); }, values, [](double x) { return x < 0; });
  const auto unbounded = [](const Tensor& x) { return voxgrad::log(relu(x.detach())); };
  beside("isfinite", "logarithms", [=](const Tensor& x) { return isfinite(unbounded(x)); }, values, [](double x) { return x > 0; });
  beside("isfinite", "square roots", [=](const Tensor& x) { return isfinite(special(x)); }, values, [](double x) { return x >= 0; });
  rejects.push_back({"equal", "shapes", [] { equal(Tensor::zeros({2, 3}), Tensor::zeros({2})); }, {"equal: shapes {2, 3} and {2} cannot"}});
  rejects.push_back({"greater", "shapes", [] { greater(Tensor::zeros({2, 3}), Tensor::zeros({2})); }, {"greater: shapes", "{2, 3}"}});
  rejects.push_back({"less", "dtypes", [] { less(Tensor::zeros({2}, DType::u8), Tensor::zeros({2}, DType::i32)); }, {"less", "u8", "i32"}});
  rejects.push_back({"equal", "a number that labels have not", [] { equal(Tensor::zeros({2}, DType::u8), 300); }, {"equal", "300", "u8"}});
  rejects.push_back({"logical_and", "floating", [] { logical_and(Tensor::zeros({2}), Tensor::zeros({2})); }, {"logical_and", "u8", "f32"}});
  rejects.push_back({"logical_not", "floating", [] { logical_not(Tensor::zeros({2})); }, {"logical_not", "u8", "f32"}});
  rejects.push_back({"isnan", "labels", [] { isnan(Tensor::zeros({2}, DType::u8)); }, {"isnan", "floating", "u8"}});
  rejects.push_back({"isfinite", "labels", [] { isfinite(Tensor::zeros({2}, DType::u8)); }, {"isfinite", "floating", "u8"}});
}
