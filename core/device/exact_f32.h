#pragma once

namespace voxgrad {

// On a GPU, convolutions of f32 activations multiply in tf32 (10 bits of mantissa) and add in f32, several times faster than f32 products.
// While one of these is alive, those that this thread calls multiply in f32, as the CPU does; so do their gradients.
class ExactF32 {
 public:
  ExactF32();
  ~ExactF32();
  ExactF32(const ExactF32&) = delete;
  static bool active();

 private:
  bool before_;
};

}  // namespace voxgrad
