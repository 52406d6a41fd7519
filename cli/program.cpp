#include "cli/program.h"

#include <cstdio>
#include <exception>
#include <new>

#include "cli/commands.h"
#include "core/device/device.h"
#include "core/error.h"
#include "core/stages/interrupt.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr int kFailure = 1, kUsage = 2, kSomeFailed = 3, kInterrupted = 130;

std::string version_text() {
#ifdef VOXGRAD_WITH_ITK
  const char* itk = "yes";
#else
  const char* itk = "no";
#endif
  return std::string("voxgrad " VOXGRAD_VERSION "\ninstruction set  ") + name_of(isa()) + "\nthreads          " +
         std::to_string(threads()) + "\nCUDA             " + (kCuda ? "yes, " + std::to_string(cuda_device_count()) + " devices" : "no") +
         "\ncuDNN            " + (cudnn_version() > 0 ? std::to_string(cudnn_version()) : "no") + "\nITK              " + itk;
}

int failure(const std::string& message, int status = kFailure) {
  std::fflush(stdout);
  std::fprintf(stderr, "voxgrad: %s\n", message.c_str());
  return status;
}

// The command that was being parsed, for the hint.
std::string command_path(const CLI::App& program) {
  for (const CLI::App* sub : program.get_subcommands()) return program.get_name() + " " + sub->get_name();
  return program.get_name();
}

int run(int argc, char** argv) {
  CLI::App program("Deep learning for volumes: trains networks on 3D images, applies them and measures their results.", "voxgrad");
  program.require_subcommand(1);
  program.set_version_flag("--version", version_text, "Print version, instruction set, threads and what the build has");
  program.get_formatter()->column_width(30);
  program.footer(
      "voxgrad COMMAND --help lists the options of a command.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 some cases failed and the others are done, 130\n"
      "interrupted.");
  add_phantom(program);
  add_synthesize(program);
  add_plan(program);
  add_preprocess(program);
  add_train(program);
  add_predict(program);
  add_evaluate(program);
  add_explain(program);
  add_ensemble(program);
  add_inspect(program);
  add_convert(program);
  add_reconstruct(program);
  add_models(program);
  add_tasks(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    return program.exit(wanted);
  } catch (const CLI::ParseError& wrong) {
    const bool unknown = program.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
    const std::string what = unknown ? std::string("there is no command \"") + argv[1] + "\"" : wrong.what();
    std::fprintf(stderr, "voxgrad: %s (see %s --help)\n", what.c_str(), command_path(program).c_str());
    return kUsage;
  }
  return 0;
}

}  // namespace

int run_program(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const SomeFailed& e) { return failure(e.what(), kSomeFailed); } catch (const Interrupted& e) {
    return failure(e.what(), kInterrupted);
  } catch (const std::bad_alloc&) {
    return failure("out of memory");
  } catch (const std::exception& e) { return failure(e.what()); }
}

}  // namespace voxgrad
