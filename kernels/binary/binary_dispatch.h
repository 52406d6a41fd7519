#pragma once
#include "kernels/binary/binary_formulas.h"
#include "kernels/binary/binary_kernels.h"

namespace voxgrad {

// Calls f(formula) for the op.
template <class F>
decltype(auto) on_formula(BinaryOp op, F&& f) {
  switch (op) {
    case BinaryOp::add: return f(binary_formula::Add{});
    case BinaryOp::sub: return f(binary_formula::Sub{});
    case BinaryOp::mul: return f(binary_formula::Mul{});
    case BinaryOp::div: return f(binary_formula::Div{});
    case BinaryOp::maximum: return f(binary_formula::Maximum{});
    case BinaryOp::minimum: return f(binary_formula::Minimum{});
    default: return f(binary_formula::Power{});
  }
}

}  // namespace voxgrad
