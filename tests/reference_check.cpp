#include <cmath>

#include "tests/op_checks.h"

namespace voxgrad {

std::string reference_fault(const OpCase& c) {
  if (!c.reference) return "no reference: a case states what is right, by a formula of its own (OpCase::reference)";
  const Tensors in = make_inputs(c, DType::f64, 7);
  HostArrays values;
  for (const Tensor& t : in) values.push_back({t.shape(), t.values()});
  const HostArrays wanted = c.reference(values);
  const Tensor y = c.run(in);
  check(wanted.size() == 1, "the reference has ", wanted.size(), " outputs, the op one");
  std::ostringstream fault;
  if (y.shape() != wanted[0].shape) {
    fault << "the output is " << y.shape() << ", that of the reference " << wanted[0].shape;
    return fault.str();
  }
  double largest = 0;
  for (double v : wanted[0].values) largest = worse(largest, std::abs(v));
  // A random walk of roundings over the terms summed, on either side, and those of functions.
  const double limit = is_floating(y.dtype()) ? c.slack * 64 * epsilon_of(y.dtype()) * std::sqrt(double(c.terms)) * largest : 0;
  const std::vector<double> got = y.values();
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::abs(got[i] - wanted[0].values[i]) <= limit) continue;  // false for NaN
    fault << "element " << i << " is " << got[i] << ", the reference gives " << wanted[0].values[i] << " (limit " << limit << ")";
    return fault.str();
  }
  return "";
}

}  // namespace voxgrad
