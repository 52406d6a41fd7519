#include "core/forward_hooks.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace voxgrad {
namespace {
thread_local ForwardHooks* innermost = nullptr;

// "Sequential" of voxgrad::Sequential<voxgrad::Conv3d, ..>.
std::string short_name(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  std::string name = status == 0 ? readable.get() : mangled;
  name = name.substr(0, name.find('<'));
  const size_t scope = name.rfind("::");
  return scope == name.npos ? name : name.substr(scope + 2);
}
}  // namespace

ForwardHooks::ForwardHooks(Names names, Hook hook) : names_(std::move(names)), hook_(std::move(hook)), around_(innermost) {
  innermost = this;
}
ForwardHooks::~ForwardHooks() { innermost = around_; }

bool ForwardHooks::active() { return innermost != nullptr; }

Tensor ForwardHooks::report(const void* address, const std::type_info& type, Tensor output) {
  for (ForwardHooks* scope = innermost; scope; scope = scope->around_) {
    const auto found = scope->names_.find({address, type});
    if (found == scope->names_.end()) continue;
    if (Tensor other = scope->hook_({found->second, short_name(type.name()), output})) output = std::move(other);
  }
  return output;
}

}  // namespace voxgrad
