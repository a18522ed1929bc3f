#include "tests/faults/injection.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "core/base/mutex.h"
#include "core/bundle/layout.h"
#include "gmock/gmock.h"
#include "tests/faults/tower_edits.h"

namespace segue::testing {
namespace {

struct State {
  std::atomic<int64_t> begun = 0;
  std::atomic<int64_t> service_us = 0;

  Mutex mu;
  CondVar changed;
  bool holding ABSL_GUARDED_BY(mu) = false;
  int let_through ABSL_GUARDED_BY(mu) = 0;
  int stuck ABSL_GUARDED_BY(mu) = 0;
};

State& TheState() {
  static State* state = new State;
  return *state;
}

}  // namespace

TinyBundleOptions WithInjection(TinyBundleOptions options) {
  options.before_seal =
      [before = std::move(options.before_seal)](const std::string& folder) {
        if (before) before(folder);
        MakeTowerWait(folder + "/" + layout::kQueryTower);
      };
  return options;
}

int64_t PassesBegun() { return TheState().begun; }

ServiceTime::ServiceTime(std::chrono::microseconds each) {
  TheState().service_us = each.count();
}

ServiceTime::~ServiceTime() { TheState().service_us = 0; }

HeldPasses::HeldPasses(int let_through) {
  State& state = TheState();
  MutexLock lock(state.mu);
  EXPECT_FALSE(state.holding) << "passes are held already";
  state.holding = true;
  state.let_through = let_through;
}

HeldPasses::~HeldPasses() { Release(); }

bool HeldPasses::Await(int passes) {
  State& state = TheState();
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  MutexLock lock(state.mu);
  while (state.stuck < passes) {
    if (!state.changed.WaitUntil(state.mu, end)) return state.stuck >= passes;
  }
  return true;
}

void HeldPasses::Release() {
  State& state = TheState();
  {
    MutexLock lock(state.mu);
    state.holding = false;
  }
  state.changed.NotifyAll();
}

void PassThroughInjection() {
  State& state = TheState();
  ++state.begun;
  if (const int64_t us = state.service_us; us > 0) {
    std::this_thread::sleep_for(std::chrono::microseconds(us));
  }
  MutexLock lock(state.mu);
  if (!state.holding || state.let_through-- > 0) return;
  ++state.stuck;
  state.changed.NotifyAll();
  while (state.holding) state.changed.Wait(state.mu);
  --state.stuck;
}

}  // namespace segue::testing
