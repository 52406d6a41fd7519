#include "optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace voxgrad {
namespace {
double part(const Schedule& s, double step) {
  check(s.total > 0, "schedule: ", s.total, " steps");
  return std::clamp(step / double(s.total), 0.0, 1.0);
}
}  // namespace

double poly_lr(const Schedule& s, double step, double power) { return s.base * std::pow(1 - part(s, step), power); }
double cosine_lr(const Schedule& s, double step, double last) {
  return last + (s.base - last) * (1 + std::cos(3.14159265358979323846 * part(s, step))) / 2;
}
double warm_up(double step, int64_t length) { return length <= 0 ? 1 : std::clamp((step + 1) / double(length), 0.0, 1.0); }

}  // namespace voxgrad
