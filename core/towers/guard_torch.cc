#include "core/towers/guard_torch.h"

#include <c10/util/Exception.h>

#include <exception>

#include "absl/strings/str_cat.h"

namespace segue {

absl::Status GuardTorch(absl::StatusCode code, absl::string_view what,
                        absl::FunctionRef<absl::Status()> fn) {
  try {
    return fn();
  } catch (const c10::Error& e) {
    return absl::Status(code,
                        absl::StrCat(what, ": ", e.what_without_backtrace()));
  } catch (const std::exception& e) {
    return absl::Status(code, absl::StrCat(what, ": ", e.what()));
  }
}

}  // namespace segue
