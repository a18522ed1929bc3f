#include "tests/bench/matrix_product_timer.h"

#include <ATen/record_function.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "tests/bench/timing.h"

namespace segue::bench {
namespace {

std::atomic<double> total{0};

struct Start : at::ObserverContext {
  double at = 0;
};

bool IsProduct(const char* name) {
  for (const char* product : {"aten::mm", "aten::addmm", "aten::addmm_"}) {
    if (std::strcmp(name, product) == 0) return true;
  }
  return false;
}

std::unique_ptr<at::ObserverContext> Begin(const at::RecordFunction& call) {
  if (!IsProduct(call.name())) return nullptr;
  auto start = std::make_unique<Start>();
  start->at = Now();
  return start;
}

void End(const at::RecordFunction& /*call*/, at::ObserverContext* context) {
  if (context == nullptr) return;
  total = total + Now() - static_cast<Start*>(context)->at;
}

}  // namespace

MatrixProductTimer::MatrixProductTimer() {
  total = 0;
  handle_ = at::addGlobalCallback(at::RecordFunctionCallback(&Begin, &End)
                                      .scopes({at::RecordScope::FUNCTION}));
}

MatrixProductTimer::~MatrixProductTimer() { at::removeCallback(handle_); }

double MatrixProductTimer::seconds() const { return total; }

}  // namespace segue::bench
