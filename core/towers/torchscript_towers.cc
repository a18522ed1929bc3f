#include "core/towers/torchscript_towers.h"

#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cmath>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/towers/attention.h"
#include "core/towers/guard_torch.h"
#include "core/towers/half_weights.h"

extern "C" {
void openblas_set_num_threads(int threads) __attribute__((weak));
int openblas_get_num_threads() __attribute__((weak));
int openblas_get_parallel() __attribute__((weak));
char* openblas_get_config() __attribute__((weak));
}

namespace segue {
namespace {

using torch::jit::IValue;

// A view of borrowed memory; torch does not write to it.
template <typename T>
at::Tensor View(absl::Span<const T> values, at::IntArrayRef sizes) {
  return torch::from_blob(const_cast<T*>(values.data()), sizes,
                          c10::CppTypeToScalarType<T>::value);
}

absl::StatusOr<torch::jit::Module> LoadModule(const std::string& bytes,
                                              absl::string_view what) {
  RegisterAttention();
  torch::jit::Module module;
  RETURN_IF_ERROR(GuardTorch(absl::StatusCode::kDataLoss, what, [&] {
    std::istringstream stream(bytes);
    module = torch::jit::load(stream, torch::kCPU);
    module.eval();
    for (const at::Tensor& weights : module.parameters()) {
      if (!torch::isfinite(weights).all().item<bool>()) {
        return absl::FailedPreconditionError(
            absl::StrCat(what, " has weights that are not finite"));
      }
    }
    return absl::OkStatus();
  }));
  return module;
}

// Runs the module and copies its [batch, dimension] result out.
absl::Status Forward(torch::jit::Module& module, absl::string_view what,
                     std::vector<IValue> inputs, int32_t batch,
                     int32_t dimension, absl::Span<float> out) {
  return GuardTorch(absl::StatusCode::kInternal, what, [&]() -> absl::Status {
    c10::InferenceMode guard;
    const at::Tensor vectors = module.forward(std::move(inputs)).toTensor();
    if (vectors.dim() != 2 || vectors.size(0) != batch ||
        vectors.size(1) != dimension ||
        vectors.scalar_type() != torch::kFloat32) {
      std::ostringstream sizes;
      sizes << vectors.sizes();
      return absl::FailedPreconditionError(
          absl::StrCat(what, " gives ", sizes.str(), ", expected [", batch,
                       ", ", dimension, "] floats"));
    }
    const at::Tensor flat = vectors.contiguous();
    const float* data = flat.data_ptr<float>();
    for (int64_t i = 0; i < int64_t{batch} * dimension; ++i) {
      if (!std::isfinite(data[i])) {
        return absl::InternalError(
            absl::StrCat(what, " gives a vector that is not finite"));
      }
      out[i] = data[i];
    }
    return absl::OkStatus();
  });
}

absl::Status CheckSize(absl::string_view name, size_t size, int64_t expected,
                       absl::string_view unit = "floats") {
  if (static_cast<int64_t>(size) == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has ", size, " ", unit, ", expected ", expected));
}

class TorchScriptQueryTower : public QueryTower {
 public:
  TorchScriptQueryTower(const torch::jit::Module& module,
                        const TowerShape& shape)
      : module_(module), shape_(shape) {}

  const TowerShape& shape() const override { return shape_; }

  absl::Status Embed(const QueryInputs& in,
                     absl::Span<float> out) const override {
    const int64_t b = in.batch, u = shape_.user_width, f = shape_.item_width,
                  n = shape_.history_length;
    RETURN_IF_ERROR(CheckSize("user", in.user.size(), b * u));
    RETURN_IF_ERROR(CheckSize("history", in.history.size(), b * n * f));
    RETURN_IF_ERROR(CheckSize("mask", in.mask.size(), b * n));
    RETURN_IF_ERROR(CheckSize("seed", in.seed.size(), b * f));
    RETURN_IF_ERROR(CheckSize("age", in.age.size(), b));
    RETURN_IF_ERROR(CheckSize("out", out.size(), b * shape_.dimension));
    std::vector<IValue> arguments = {
        View(in.user, {b, u}), View(in.history, {b, n, f}),
        View(in.mask, {b, n}), View(in.seed, {b, f}), View(in.age, {b})};
    if (shape_.history_times) {
      RETURN_IF_ERROR(CheckSize("times", in.times.size(), b * n, "seconds"));
      RETURN_IF_ERROR(CheckSize("now", in.now.size(), b, "seconds"));
      arguments.emplace_back(View(in.times, {b, n}));
      arguments.emplace_back(View(in.now, {b}));
    }
    return Forward(module_, "query tower", std::move(arguments), in.batch,
                   shape_.dimension, out);
  }

 private:
  // forward() is not const, but runs from many threads at once: it only reads
  // the module.
  mutable torch::jit::Module module_;
  TowerShape shape_;
};

class TorchScriptItemTower : public ItemTower {
 public:
  TorchScriptItemTower(const torch::jit::Module& module,
                       const TowerShape& shape)
      : module_(module), shape_(shape) {}

  absl::Status Embed(int32_t batch, absl::Span<const float> rows,
                     absl::Span<float> out) const override {
    const int64_t f = shape_.item_width;
    RETURN_IF_ERROR(CheckSize("rows", rows.size(), batch * f));
    RETURN_IF_ERROR(
        CheckSize("out", out.size(), int64_t{batch} * shape_.dimension));
    return Forward(module_, "item tower", {View(rows, {batch, f})}, batch,
                   shape_.dimension, out);
  }

 private:
  mutable torch::jit::Module module_;
  TowerShape shape_;
};

// A tower of another shape fails here, at loading, rather than at a request.
absl::Status AsPrecondition(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::FailedPreconditionError(status.message());
}

}  // namespace

absl::StatusOr<std::unique_ptr<QueryTower>> LoadQueryTower(
    const std::string& bytes, const TowerShape& shape) {
  ASSIGN_OR_RETURN(torch::jit::Module module, LoadModule(bytes, "query tower"));
  RETURN_IF_ERROR(
      GuardTorch(absl::StatusCode::kFailedPrecondition, "query tower", [&] {
        module = WithHalfWeights(module);
        return absl::OkStatus();
      }));
  auto tower = std::make_unique<TorchScriptQueryTower>(module, shape);
  const std::vector<float> zeros(
      std::max(shape.user_width, shape.history_length * shape.item_width) + 1,
      0.0f);
  std::vector<float> out(shape.dimension);
  const absl::Span<const float> all(zeros);
  const std::vector<float> mask(shape.history_length, 1.0f);
  const std::vector<int64_t> times(shape.history_length, 0);
  RETURN_IF_ERROR(AsPrecondition(tower->Embed(
      {.batch = 1,
       .user = all.first(shape.user_width),
       .history = all.first(shape.history_length * shape.item_width),
       .mask = mask,
       .seed = all.first(shape.item_width),
       .age = all.first(1),
       .times = times,
       .now = absl::MakeConstSpan(times).first(1)},
      absl::MakeSpan(out))));
  return tower;
}

absl::StatusOr<std::unique_ptr<ItemTower>> LoadItemTower(
    const std::string& bytes, const TowerShape& shape) {
  ASSIGN_OR_RETURN(torch::jit::Module module, LoadModule(bytes, "item tower"));
  auto tower = std::make_unique<TorchScriptItemTower>(module, shape);
  const std::vector<float> zeros(shape.item_width, 0.0f);
  std::vector<float> out(shape.dimension);
  RETURN_IF_ERROR(AsPrecondition(tower->Embed(1, zeros, absl::MakeSpan(out))));
  return tower;
}

void UseKernelThreads(int threads) {
  at::set_num_threads(threads);
  at::set_num_interop_threads(1);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(threads);
  // The profiling executor specialises over the first requests; the simple one
  // has the same speed from the first on.
  torch::jit::getProfilingMode() = false;
}

std::string BlasText() {
  if (openblas_get_config == nullptr || openblas_get_parallel == nullptr ||
      openblas_get_num_threads == nullptr) {
    return "BLAS other than OpenBLAS";
  }
  const char* const builds[] = {"no threads", "pthreads", "OpenMP"};
  const int build = openblas_get_parallel();
  return absl::StrCat(openblas_get_config(), " (",
                      build >= 0 && build < 3 ? builds[build] : "?", "), ",
                      openblas_get_num_threads(), " threads");
}

std::string TorchVersion() { return TORCH_VERSION; }

}  // namespace segue
