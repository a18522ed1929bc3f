// Fed: the bytes of a server's state_file.
// Must hold: it is read, or is DataLoss; what is read names versions alone, and
// is the same once it is written and read. AdminService takes version names and
// nothing else; fuzz_manifest has those.
#include <cstddef>
#include <cstdint>

#include "core/bundle/names.h"
#include "server/lifecycle/state_file.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/scratch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace segue;  // NOLINT(google-build-using-namespace)
  static const fuzz::Scratch* scratch = new fuzz::Scratch("state.json");
  scratch->Write({reinterpret_cast<const char*>(data), size});
  const auto state = ReadStateFile(scratch->path());
  fuzz::MustBeOkOr(state.status(), absl::StatusCode::kDataLoss);
  if (!state.ok()) return 0;
  for (const std::string& version : state->denied_versions()) {
    fuzz::Must(IsVersionName(version), "what is denied is a version");
  }
  fuzz::Must(WriteStateFile(scratch->path(), *state).ok(), "it is written");
  const auto again = ReadStateFile(scratch->path());
  fuzz::Must(
      again.ok() && again->SerializeAsString() == state->SerializeAsString(),
      "what is written is what is read");
  return 0;
}
