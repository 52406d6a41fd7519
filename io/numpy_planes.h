#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "io/volume.h"

namespace voxgrad {

// An array {C, D, H, W} or {D, H, W} of an .npz or .npy (io/image.h), as f32, one channel at a time: no more of it is in memory.
class NumpyPlanes {
 public:
  // array: which one of an .npz with several.
  explicit NumpyPlanes(const std::filesystem::path&, const std::string& array = "");
  ~NumpyPlanes();
  NumpyPlanes(NumpyPlanes&&) noexcept;

  int64_t channels() const;
  Int3 size() const;
  const std::optional<Affine>& affine() const;  // none: the file does not say where it lies
  Tensor next();                                // {D, H, W}

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// An .npz with the f32 array {C, D, H, W} and its "affine", filled box by box in any order; what is left out is 0. Until commit() the
// values lie in a nameless file in the folder of the result, not in memory; then they are deflated.
class NumpyPlanesWriter {
 public:
  NumpyPlanesWriter(const std::filesystem::path&, const std::string& array, const Shape& shape, const Affine&);
  ~NumpyPlanesWriter();
  // values: f32 {d, h, w}
  void put(int64_t channel, const Int3& begin, const Tensor& values);
  // Fills a channel.
  void fill(int64_t channel, float value);
  void commit();

 private:
  std::filesystem::path path_;
  std::string array_;
  Shape shape_;
  Affine affine_;
  int file_ = -1;
};

}  // namespace voxgrad
