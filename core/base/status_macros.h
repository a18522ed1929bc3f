// RETURN_IF_ERROR(status) and ASSIGN_OR_RETURN(lhs, status_or): leave the
// function with the error, or go on.
#ifndef SEGUE_CORE_BASE_STATUS_MACROS_H_
#define SEGUE_CORE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RETURN_IF_ERROR(expr)                    \
  do {                                           \
    absl::Status segue_status = (expr);          \
    if (!segue_status.ok()) return segue_status; \
  } while (false)

#define SEGUE_CONCAT_INNER(a, b) a##b
#define SEGUE_CONCAT(a, b) SEGUE_CONCAT_INNER(a, b)

#define ASSIGN_OR_RETURN(lhs, expr) \
  SEGUE_ASSIGN_OR_RETURN(SEGUE_CONCAT(segue_or_, __LINE__), lhs, expr)
#define SEGUE_ASSIGN_OR_RETURN(tmp, lhs, expr) \
  auto tmp = (expr);                           \
  if (!tmp.ok()) return tmp.status();          \
  lhs = *std::move(tmp)

#endif  // SEGUE_CORE_BASE_STATUS_MACROS_H_
