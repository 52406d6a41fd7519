#include "cli/program.h"

int main(int argc, char** argv) { return voxgrad::run_program(argc, argv); }
