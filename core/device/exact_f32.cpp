#include "core/device/exact_f32.h"

namespace voxgrad {
namespace {
thread_local bool exact = false;
}  // namespace

ExactF32::ExactF32() : before_(exact) { exact = true; }
ExactF32::~ExactF32() { exact = before_; }
bool ExactF32::active() { return exact; }

}  // namespace voxgrad
