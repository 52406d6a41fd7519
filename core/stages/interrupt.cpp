#include "core/stages/interrupt.h"

#include <csignal>
#include <utility>

namespace voxgrad {
namespace {

volatile std::sig_atomic_t seen = 0;
struct sigaction before_int, before_term;

// The handler is gone after the first signal (SA_RESETHAND).
void remember(int) { seen = 1; }

}  // namespace

InterruptScope::InterruptScope() {
  seen = 0;
  struct sigaction action = {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  for (auto& [signal, before] : {std::pair{SIGINT, &before_int}, std::pair{SIGTERM, &before_term}}) {
    sigaction(signal, nullptr, before);
    if (before->sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &before_int, nullptr);
  sigaction(SIGTERM, &before_term, nullptr);
}

bool interrupted() { return seen != 0; }
void fail_if_interrupted() {
  if (interrupted()) throw Interrupted("interrupted");
}

}  // namespace voxgrad
