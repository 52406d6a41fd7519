#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/device/conv_backend.h"
#include "core/device/device.h"
#include "core/error.h"
#include "core/shape.h"

namespace voxgrad {

// Each adds one command to the program. Its options are parsed into a struct that the command's callback owns; the callback runs it.
// Errors of the callback are failures (exit status 1); what the parser refuses is wrong usage (exit status 2); where some cases of several
// failed and the others are done, the callback throws SomeFailed (exit status 3).
struct SomeFailed : Error {
  using Error::Error;
};
void add_phantom(CLI::App& program);
void add_synthesize(CLI::App& program);
void add_plan(CLI::App& program);
void add_preprocess(CLI::App& program);
void add_train(CLI::App& program);
void add_predict(CLI::App& program);
void add_evaluate(CLI::App& program);
void add_explain(CLI::App& program);
void add_ensemble(CLI::App& program);
void add_inspect(CLI::App& program);
void add_convert(CLI::App& program);
void add_reconstruct(CLI::App& program);
void add_models(CLI::App& program);
void add_tasks(CLI::App& program);

// --threads N, which takes effect while the command line is parsed.
void add_threads(CLI::App& command);
// --series NUMBER_or_UID, of commands that read images.
void add_series(CLI::App& command, std::string& series);
// --device cpu|auto|cuda|cuda:N into `device`, a word for parse_device.
void add_device(CLI::App& command, std::string& device);
// --conv own|cudnn. Its word and the device give the scope that the command computes in.
void add_conv(CLI::App& command, std::string& conv);
ConvBackendScope conv_scope(const std::string& conv, Device);

// parse_device; where "auto" finds no GPU for a build that has CUDA, a line says so.
Device chosen_device(const std::string&);

// "96" or "64x96x96" (depth x height x width), for CLI::Option::check; the second gives the value of a text that passed it.
std::string check_extents(const std::string& text);
Int3 parse_extents(const std::string& text);

// For CLI::Option::check: a number from low to high and nothing else. NaN is none, and digits alone make a whole one.
std::function<std::string(const std::string&)> number_within(double low, double high);
std::function<std::string(const std::string&)> whole_number_within(uint64_t low, uint64_t high);

}  // namespace voxgrad
