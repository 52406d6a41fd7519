#include "layers/norm_kind.h"

#include <iterator>

#include "core/error.h"

namespace voxgrad {
namespace {
constexpr const char* kNormKinds[] = {"none", "instance", "batch", "group"};
}

NormKind norm_kind_of(const std::string& name) {
  for (size_t i = 0; i < std::size(kNormKinds); ++i)
    if (name == kNormKinds[i]) return NormKind(i);
  fail("norm: \"", name, "\" is given, none, instance, batch or group is wanted");
}
const char* name_of(NormKind k) { return kNormKinds[int(k)]; }

}  // namespace voxgrad
