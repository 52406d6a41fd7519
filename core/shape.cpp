#include "core/shape.h"

namespace voxgrad {

void Shape::no_axis(int i) const { fail("shape: there is no axis ", i, " in ", *this, ", which has ", rank, " axes"); }

}  // namespace voxgrad
