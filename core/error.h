#pragma once
#include <sstream>
#include <stdexcept>

namespace voxgrad {

// The one exception type of the library: who, what was given, what was wanted.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  throw Error(out.str());
}

// check(condition, "conv3d: ", what, " ...") throws Error with the parts joined.
template <class... Parts>
inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(parts...);
}

}  // namespace voxgrad
