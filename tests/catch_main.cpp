#define CATCH_CONFIG_RUNNER
#include "tests/catch.h"

int main(int argc, char** argv) {
  setenv("VOXGRAD_CHECK_MEMORY", "1", 0);
  return Catch::Session().run(argc, argv);
}
