#include "server/requests/request_validation.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/bundle/names.h"

namespace segue {
namespace {

using Ids = google::protobuf::RepeatedPtrField<std::string>;
using Features = google::protobuf::RepeatedPtrField<v1::Feature>;

constexpr size_t kShownBytes = 64;

// The beginning of `value`, cut between characters, control bytes escaped.
std::string Shown(absl::string_view value) {
  size_t end = std::min(value.size(), kShownBytes);
  while (end > 0 && end < value.size() && (value[end] & 0xC0) == 0x80) --end;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(value.substr(0, end)),
                      end < value.size() ? "...\"" : "\"");
}

absl::Status CheckId(const v1::ServerConfig& bounds, absl::string_view field,
                     absl::string_view id) {
  if (id.size() <= static_cast<size_t>(bounds.max_id_bytes())) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", Shown(id), " has ", id.size(),
                   " bytes; at most ", bounds.max_id_bytes(), " are taken"));
}

absl::Status CheckCount(absl::string_view field, int count, int most) {
  if (count <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, ": ", count, " elements; at most ", most, " are taken"));
}

absl::Status CheckIds(const v1::ServerConfig& bounds, absl::string_view field,
                      const Ids& ids, int most) {
  RETURN_IF_ERROR(CheckCount(field, ids.size(), most));
  for (int i = 0; i < ids.size(); ++i) {
    // Naming the element costs a string; only where it is at fault.
    if (CheckId(bounds, field, ids[i]).ok()) continue;
    return CheckId(bounds, absl::StrCat(field, "[", i, "]"), ids[i]);
  }
  return absl::OkStatus();
}

absl::Status CheckTopK(const v1::ServerConfig& bounds, int top_k) {
  if (top_k >= 0 && top_k <= bounds.max_top_k()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("top_k: ", top_k, "; it must be 1 to ", bounds.max_top_k(),
                   ", or 0 for the default"));
}

absl::Status CheckFeatures(const v1::ServerConfig& bounds,
                           absl::string_view field, const Features& features) {
  RETURN_IF_ERROR(CheckCount(field, features.size(), bounds.max_features()));
  for (int i = 0; i < features.size(); ++i) {
    const v1::Feature& feature = features[i];
    const std::string name = absl::StrCat(field, "[", i, "]");
    RETURN_IF_ERROR(
        CheckId(bounds, absl::StrCat(name, ".name"), feature.name()));
    RETURN_IF_ERROR(
        CheckId(bounds, absl::StrCat(name, ".category"), feature.category()));
    if (feature.value_case() == v1::Feature::VALUE_NOT_SET) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": ", Shown(feature.name()), " has no category and no number"));
    }
    if (!std::isfinite(feature.number())) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ".number: ", feature.number(),
                       " is not a finite number; leave an unknown one out"));
    }
  }
  return absl::OkStatus();
}

// Sizes alone; what it asks is looked at where the attributes are known. gRPC
// has bounded size and depth.
absl::Status CheckFilter(const v1::ServerConfig& bounds,
                         const v1::Filter& filter) {
  const auto check_all = [&](const v1::Filter::Filters& parts) {
    for (const v1::Filter& part : parts.filters()) {
      RETURN_IF_ERROR(CheckFilter(bounds, part));
    }
    return absl::OkStatus();
  };
  switch (filter.is_case()) {
    case v1::Filter::kOneOf:
      RETURN_IF_ERROR(CheckId(bounds, "filter: one_of.attribute",
                              filter.one_of().attribute()));
      return CheckIds(bounds, "filter: one_of.values", filter.one_of().values(),
                      bounds.max_excluded());
    case v1::Filter::kRange:
      return CheckId(bounds, "filter: range.attribute",
                     filter.range().attribute());
    case v1::Filter::kItems:
      return CheckIds(bounds, "filter: items.item_ids",
                      filter.items().item_ids(), bounds.max_excluded());
    case v1::Filter::kAllOf:
      return check_all(filter.all_of());
    case v1::Filter::kAnyOf:
      return check_all(filter.any_of());
    case v1::Filter::kNoneOf:
      return check_all(filter.none_of());
    case v1::Filter::IS_NOT_SET:
      break;
  }
  return absl::OkStatus();
}

// Sizes, as CheckFilter().
absl::Status CheckDiversity(const v1::ServerConfig& bounds,
                            const v1::Diversity& diversity) {
  // Each attribute at most once; there are no more than features allowed.
  RETURN_IF_ERROR(CheckCount("diversity.caps", diversity.caps_size(),
                             bounds.max_features()));
  for (const v1::Diversity::Cap& cap : diversity.caps()) {
    RETURN_IF_ERROR(
        CheckId(bounds, "diversity.caps.attribute", cap.attribute()));
  }
  return absl::OkStatus();
}

absl::Status CheckEffort(const v1::ServerConfig& bounds,
                         const v1::RetrieveRequest& request) {
  // Not a comparison that NaN passes.
  const double target = request.target_overlap();
  if (!(target >= 0 && target <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("target_overlap: ", target, "; it must be in [0, 1]"));
  }
  if (!request.has_effort()) return absl::OkStatus();
  if (target > 0) {
    return absl::InvalidArgumentError(
        "effort: set it or target_overlap, not both");
  }
  const auto check = [](absl::string_view field, int value, int most) {
    if (value >= 0 && value <= most) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", value,
                                                   "; it must be 1 to ", most,
                                                   ", or 0 for the bundle's"));
  };
  RETURN_IF_ERROR(
      check("effort.nprobe", request.effort().nprobe(), bounds.max_nprobe()));
  return check("effort.k_factor", request.effort().k_factor(),
               bounds.max_k_factor());
}

absl::Status CheckTime(absl::string_view field, int64_t time) {
  if (time >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      field, ": ", time, "; a time in seconds must not be negative"));
}

absl::Status CheckTimes(const v1::RetrieveRequest& request) {
  const int count = request.history_times_size();
  if (count != 0 && count != request.history_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "history_times: ", count, " elements; it must be empty or have the ",
        request.history_size(), " of history"));
  }
  for (int i = 0; i < count; ++i) {
    if (request.history_times(i) >= 0) continue;
    return CheckTime(absl::StrCat("history_times[", i, "]"),
                     request.history_times(i));
  }
  return CheckTime("request_time", request.request_time());
}

}  // namespace

absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::RetrieveRequest& request) {
  RETURN_IF_ERROR(CheckTopK(bounds, request.top_k()));
  RETURN_IF_ERROR(CheckId(bounds, "user_id", request.user_id()));
  if (!request.bundle_version().empty() &&
      !IsVersionName(request.bundle_version())) {
    return absl::InvalidArgumentError(
        absl::StrCat("bundle_version: ", Shown(request.bundle_version()),
                     " is no version's name"));
  }
  RETURN_IF_ERROR(
      CheckIds(bounds, "history", request.history(), bounds.max_history()));
  RETURN_IF_ERROR(CheckTimes(request));
  RETURN_IF_ERROR(CheckFilter(bounds, request.filter()));
  RETURN_IF_ERROR(CheckEffort(bounds, request));
  RETURN_IF_ERROR(CheckDiversity(bounds, request.diversity()));
  RETURN_IF_ERROR(CheckId(bounds, "seed_item", request.seed_item()));
  RETURN_IF_ERROR(CheckIds(bounds, "exclude_item_ids",
                           request.exclude_item_ids(), bounds.max_excluded()));
  RETURN_IF_ERROR(
      CheckFeatures(bounds, "user_features", request.user_features()));
  return CheckFeatures(bounds, "request_features", request.request_features());
}

absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::BatchRetrieveRequest& request) {
  RETURN_IF_ERROR(CheckCount("requests", request.requests_size(),
                             bounds.max_batch_requests()));
  for (int i = 0; i < request.requests_size(); ++i) {
    const absl::Status status = ValidateRequest(bounds, request.requests(i));
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("requests[", i, "].", status.message()));
    }
    if (request.requests(i).bundle_version() !=
        request.requests(0).bundle_version()) {
      return absl::InvalidArgumentError(
          absl::StrCat("requests[", i,
                       "].bundle_version: another one than that of "
                       "requests[0]; one version answers a batch"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::SimilarItemsRequest& request) {
  if (request.item_id().empty()) {
    return absl::InvalidArgumentError("item_id: empty; name an item");
  }
  RETURN_IF_ERROR(CheckId(bounds, "item_id", request.item_id()));
  RETURN_IF_ERROR(CheckTopK(bounds, request.top_k()));
  RETURN_IF_ERROR(CheckFilter(bounds, request.filter()));
  RETURN_IF_ERROR(CheckDiversity(bounds, request.diversity()));
  return CheckIds(bounds, "exclude_item_ids", request.exclude_item_ids(),
                  bounds.max_excluded());
}

absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::DescribeItemsRequest& request) {
  // What a client wants described is an answer or a history.
  return CheckIds(bounds, "item_ids", request.item_ids(),
                  std::max(bounds.max_top_k(), bounds.max_history()));
}

}  // namespace segue
