#pragma once
#include <string>

namespace voxgrad {

enum class NormKind { none, instance, batch, group };
NormKind norm_kind_of(const std::string& name);  // by its name here; an Error says which there are
const char* name_of(NormKind);

}  // namespace voxgrad
