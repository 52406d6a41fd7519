#pragma once
#include <filesystem>

namespace voxgrad {

// The one writer of a run's folder, which is made where there is none. While it lives the folder holds `run.lock`, JSON that says who
// writes: {"host", "pid", "started" (of the process, in clock ticks since the machine's start), "since"}. Another writer, of any process,
// is an Error that names the holder. What a process that is no more has left on this host is taken over; of another host nobody can tell
// whether it is alive, so its lock stands until it is removed by hand.
class RunLock {
 public:
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();  // a folder that was made for the lock and got nothing else is removed too
  RunLock(const RunLock&) = delete;

 private:
  std::filesystem::path folder_, file_, made_;  // made_: the first folder that was not there; empty: all were
  int lock_ = -1;
};

}  // namespace voxgrad
