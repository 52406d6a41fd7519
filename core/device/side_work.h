#pragma once
#include <functional>
#include <memory>

#include "core/device/device.h"

namespace voxgrad {

// Work beside what a CUDA device computes, on a stream of its own, which fills memory that the device's work reads, again and again in
// turns. The memory is taken and given back by those who compute; what f takes for itself (Scratch, Staging) belongs to the stream f is
// given.
class SideWork {
 public:
  explicit SideWork(Device);
  // Waits for it.
  ~SideWork();
  SideWork(const SideWork&) = delete;

  // f gives work to the stream, to start behind the work that done() closed. From any thread, one at a time.
  void give(const std::function<void(Cuda)>& f);
  // Work given to the device from now on starts behind what the latest give() gave.
  void arrived() const;
  // Work given to the device so far is the last to use what was given.
  void done();
  // Returns when all that was given has run; throws what went wrong with it.
  void wait() const;

 private:
  struct Lane;
  Device device_;
  std::unique_ptr<Lane> lane_;
};

}  // namespace voxgrad
