#pragma once

namespace voxgrad {

// The function that asks for memory, for messages: what `Asker by = {__builtin_FILE(), __builtin_FUNCTION()}` as a default argument gives.
struct Asker {
  const char* file;
  const char* function;
};

}  // namespace voxgrad
