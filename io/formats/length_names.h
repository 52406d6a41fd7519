#pragma once
#include <string_view>

#include "io/volume.h"

namespace voxgrad {

// A unit of length by the names that headers have for it: mm, um, micron, nm, cm, dm, m, inch and their like, whatever the case.
struct NamedLength {
  double mm = 0;                               // 0: no name that is known
  LengthUnit kept = LengthUnit::millimetre;  // in which writers say lengths again
};
NamedLength length_named(std::string_view name);

}  // namespace voxgrad
