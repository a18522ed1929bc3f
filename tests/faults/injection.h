// Waiting, injected into the query towers of bundles: a service time, or a
// forward pass that is stuck for as long as a test wants.
//
// State of the process, as the towers' operators are: one test at a time. All
// of it can be called from any thread.
#ifndef SEGUE_TESTS_FAULTS_INJECTION_H_
#define SEGUE_TESTS_FAULTS_INJECTION_H_

#include <chrono>
#include <cstdint>

#include "tests/testing/tiny_bundle.h"

namespace segue::testing {

// The same bundle, but that each forward pass of its query tower waits here.
TinyBundleOptions WithInjection(TinyBundleOptions options = {});

// How many forward passes of such towers have begun in this process.
int64_t PassesBegun();

// What each pass takes besides, while this lives. The processor is free
// meanwhile: a server's capacity is its workers divided by this.
class ServiceTime {
 public:
  explicit ServiceTime(std::chrono::microseconds each);
  ~ServiceTime();
  ServiceTime(const ServiceTime&) = delete;
  ServiceTime& operator=(const ServiceTime&) = delete;
};

// While it lives, passes are stuck in the tower.
class HeldPasses {
 public:
  // `let_through`: so many pass first.
  explicit HeldPasses(int let_through = 0);
  // Releases.
  ~HeldPasses();
  HeldPasses(const HeldPasses&) = delete;
  HeldPasses& operator=(const HeldPasses&) = delete;

  // Waits until so many are stuck; false: they are not after a minute.
  bool Await(int passes);
  // Lets them go; those that come later are not held.
  void Release();
};

// What the operator does. For tower_edits.cc.
void PassThroughInjection();

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_INJECTION_H_
