// LibTorch throws; nothing above the files that include it does.
#ifndef SEGUE_CORE_TOWERS_GUARD_TORCH_H_
#define SEGUE_CORE_TOWERS_GUARD_TORCH_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace segue {

// What `fn` returns; what it throws as a status of `code`: `what` and the
// exception's message without its stack trace.
absl::Status GuardTorch(absl::StatusCode code, absl::string_view what,
                        absl::FunctionRef<absl::Status()> fn);

}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_GUARD_TORCH_H_
