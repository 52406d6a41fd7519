#pragma once
#include "core/error.h"

namespace voxgrad {

// Thrown where work is given up because the user asked for it.
struct Interrupted : Error {
  using Error::Error;
};

// While one lives, the first SIGINT or SIGTERM is only remembered, so that files can be finished or removed; the second one ends the
// process. A signal that is ignored stays so. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
};
bool interrupted();        // since the scope began
void fail_if_interrupted();  // throws Interrupted

}  // namespace voxgrad
