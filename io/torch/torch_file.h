#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/torch/pickle.h"

namespace voxgrad {

// What torch.save wrote (.pt, .pth, .bin; also .ckpt): the zip archive of PyTorch 1.6 and later, and the stream of files before. The pickle
// in it is read as data: no name in it is looked up, nothing is called. Objects of other classes are kept by name, so that the tensors
// beside them can be read; asking for one is an Error that names its class. Refused by name: files of before PyTorch 0.1.10 (tar),
// TorchScript archives, and on loading tensors of dtypes that there are not here.
class TorchFile {
 public:
  explicit TorchFile(const std::filesystem::path&);
  ~TorchFile();
  TorchFile(TorchFile&&) noexcept;

  const PickleValue& root() const;
  const std::string& name() const;  // of the file

  struct Entry {
    std::string name;   // keys and indices from the root on, joined by points
    std::string dtype;  // as here, "f32"; as in PyTorch where it cannot be loaded, "torch.CharStorage"
    Shape shape;
    const PickleValue* value;
  };
  // All tensors below `top`, in the order of the file; the names begin with what `top` holds. What is in no dict, list or tuple is not
  // seen.
  std::vector<Entry> tensors(const PickleValue& top) const;
  std::vector<Entry> tensors() const { return tensors(root()); }

  bool is_tensor(const PickleValue&) const;
  // A tensor or a torch.nn.Parameter as dense memory, whatever its strides: views of one storage are separate afterwards. bool as u8.
  // who: names it in messages.
  Tensor load(const PickleValue&, const std::string& who) const;

  // Values of Python and NumPy scalars. An Error names who is meant.
  double number(const PickleValue&, const std::string& who) const;
  const std::string& text(const PickleValue&, const std::string& who) const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

// Whether a file begins as one of those that TorchFile reads or refuses by name.
bool is_torch_file(const std::filesystem::path&);

}  // namespace voxgrad
