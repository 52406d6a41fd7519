#pragma once

namespace voxgrad {

// The program `voxgrad` with these arguments; its exit status. A program of your own that has added networks, tasks or transforms to the
// registries calls it from main, and they are there by name like the library's own.
int run_program(int argc, char** argv);

}  // namespace voxgrad
