#include "tests/faults/versions_seen.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace segue::testing {
namespace {

std::string PrefixOf(const std::string& id) {
  return id.substr(0, id.rfind('-'));
}

}  // namespace

std::string VersionsSeen::FaultOf(const v1::RetrieveResponse& answer,
                                  int top_k) {
  const auto now = std::chrono::steady_clock::now();
  const std::set<std::string> distinct(answer.item_ids().begin(),
                                       answer.item_ids().end());
  if (answer.item_ids_size() != top_k ||
      distinct.size() != static_cast<size_t>(top_k)) {
    return absl::StrCat(answer.item_ids_size(), " items, ", distinct.size(),
                        " of them distinct, instead of ", top_k);
  }
  if (answer.scores_size() != top_k) return "scores are not parallel";
  const std::string& version = answer.bundle_version();
  const std::string prefix = PrefixOf(answer.item_ids(0));
  for (const std::string& id : answer.item_ids()) {
    if (PrefixOf(id) != prefix) {
      return absl::StrCat(id, " and ", answer.item_ids(0), " from ", version);
    }
  }
  MutexLock lock(mu_);
  Version& seen =
      versions_.try_emplace(version, Version{prefix, now, now}).first->second;
  seen.last = now;
  const std::string& one =
      version_of_.try_emplace(prefix, version).first->second;
  if (seen.prefix != prefix || one != version) {
    return absl::StrCat(prefix, " from ", version, " after ", seen.prefix,
                        ", and from ", one);
  }
  return "";
}

std::map<std::string, VersionsSeen::Version> VersionsSeen::versions() const {
  MutexLock lock(mu_);
  return versions_;
}

bool VersionsSeen::Has(const std::string& version) const {
  MutexLock lock(mu_);
  return versions_.count(version) > 0;
}

}  // namespace segue::testing
