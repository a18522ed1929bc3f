// Weights of a TorchScript module, and the expressions that use them: towers
// are written as text.
#ifndef SEGUE_TRAINER_MODEL_SCRIPT_WEIGHTS_H_
#define SEGUE_TRAINER_MODEL_SCRIPT_WEIGHTS_H_

#include <torch/script.h>

#include <cstdint>
#include <string>

namespace segue {

// Registers parameters of one module, drawn from one seed in the order of the
// calls. Borrows the module.
class ScriptWeights {
 public:
  ScriptWeights(torch::jit::Module& module, uint64_t seed)
      : module_(module), generator_(at::detail::createCPUGenerator(seed)) {}

  // `name`, as given. Another module may have the tensor as its parameter too.
  void Add(const std::string& name, const torch::Tensor& values);
  // `name`_weight [out, in], Xavier-normal, and `name`_bias [out], 0.
  void AddLinear(const std::string& name, int32_t in, int32_t out);
  // The same with weights of 0.
  void AddZeroLinear(const std::string& name, int32_t in, int32_t out);
  // `name`_weight [width], 1, and `name`_bias [width], 0.
  void AddNorm(const std::string& name, int32_t width);
  // `name` [sizes], normal with that standard deviation.
  void AddNormal(const std::string& name, at::IntArrayRef sizes,
                 double deviation);
  // `name` [sizes], 0.
  void AddZeros(const std::string& name, at::IntArrayRef sizes);

  // What a linear layer makes of the rows `x`.
  static std::string Linear(const std::string& name, const std::string& x);
  static std::string Norm(const std::string& name, const std::string& x,
                          int32_t width);
  // `x` with a share of it dropped while training.
  static std::string Dropout(const std::string& x, double share);

 private:
  torch::jit::Module& module_;
  at::Generator generator_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_SCRIPT_WEIGHTS_H_
