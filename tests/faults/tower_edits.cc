#include "tests/faults/tower_edits.h"

#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/frontend/sugared_value.h>
#include <torch/library.h>
#include <torch/script.h>

#include <limits>
#include <memory>

#include "core/towers/attention.h"
#include "tests/faults/injection.h"

namespace segue::testing {
namespace {

// segue_test.wait: a copy of its input, some time later.
torch::Tensor Wait(const torch::Tensor& x) {
  PassThroughInjection();
  return x.clone();
}

void RegisterWait() {
  static const bool registered = [] {
    static torch::Library library(torch::Library::DEF, "segue_test",
                                  c10::nullopt, __FILE__, __LINE__);
    library.def("wait(Tensor x) -> Tensor", &Wait);
    return true;
  }();
  (void)registered;
}

class Resolver : public torch::jit::NativeResolver {
 public:
  std::shared_ptr<torch::jit::SugaredValue> resolveValue(
      const std::string& name, torch::jit::GraphFunction& function,
      const torch::jit::SourceRange& place) override {
    if (name == "segue_test") {
      return std::make_shared<torch::jit::BuiltinModule>(name);
    }
    return NativeResolver::resolveValue(name, function, place);
  }
};

}  // namespace

void MakeTowerWait(const std::string& path) {
  RegisterAttention();
  RegisterWait();
  torch::jit::Module waits("WaitingQueryTower");
  waits.register_module("tower", torch::jit::load(path));
  waits.define(R"(
  def forward(self, user: Tensor, history: Tensor, mask: Tensor, seed: Tensor,
              age: Tensor) -> Tensor:
    return self.tower.forward(segue_test.wait(user), history, mask, seed, age)
)",
               std::make_shared<Resolver>());
  waits.save(path);
}

void PutNanIntoTower(const std::string& path) {
  RegisterAttention();
  torch::jit::Module tower = torch::jit::load(path);
  torch::NoGradGuard no_grad;
  torch::Tensor weights = *tower.parameters().begin();
  weights.view(-1)[0] = std::numeric_limits<float>::quiet_NaN();
  tower.save(path);
}

}  // namespace segue::testing
