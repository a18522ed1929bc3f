#include "trainer/data/synthetic.h"

#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/base/random.h"
#include "trainer/data/synthetic_catalogue.h"
#include "trainer/data/synthetic_listener.h"
#include "trainer/data/synthetic_writer.h"

namespace segue {
namespace {

constexpr int64_t kMaxItems = int64_t{1} << 29;
// uids are multiples of ten that fit into 32 bits.
constexpr int64_t kMaxUsers = 400'000'000;
constexpr int64_t kListensPerProgressLine = 1'000'000;

absl::Status Check(const SyntheticOptions& options) {
  if (options.users >= 1 && options.users <= kMaxUsers && options.items >= 1 &&
      options.items <= kMaxItems && options.events >= 1) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("synthetic data: users are ", options.users, " (1 to ",
                   kMaxUsers, " can be made), items ", options.items, " (1 to ",
                   kMaxItems, "), events ", options.events, " (at least 1)"));
}

// How many of all listens are those of users [0, u]: activity is log-normal.
std::vector<double> ActivitySums(int64_t users, uint64_t seed) {
  Random random(seed);
  std::vector<double> sums(users);
  double sum = 0;
  for (double& each : sums) each = sum += std::exp(random.Normal());
  for (double& each : sums) each /= sum;
  sums.back() = 1;
  return sums;
}

}  // namespace

absl::Status WriteSyntheticDataset(
    const SyntheticOptions& options,
    const std::function<void(absl::string_view)>& progress) {
  RETURN_IF_ERROR(Check(options));
  RETURN_IF_ERROR(CreateFolders(options.out_folder));
  const uint64_t seed = Mix64(options.seed);
  const SyntheticCatalogue catalogue(options.items, Mix64(seed, 10));
  const SyntheticIds ids(catalogue, Mix64(seed, 11));
  RETURN_IF_ERROR(WriteSyntheticCatalogue(options.out_folder, catalogue, ids,
                                          Mix64(seed, 12)));
  ASSIGN_OR_RETURN(
      const std::unique_ptr<SyntheticEventWriter> writer,
      SyntheticEventWriter::Create(options.out_folder, catalogue, ids));
  const std::vector<double> sums = ActivitySums(options.users, Mix64(seed, 13));
  std::vector<SyntheticEvent> events;
  int64_t written = 0;
  for (int64_t user = 0; user < options.users; ++user) {
    const auto end = static_cast<int64_t>(sums[user] * options.events);
    events.clear();
    SyntheticListener(catalogue, Mix64(seed + 14, user))
        .Listen(end - written, events);
    RETURN_IF_ERROR(
        writer->Write(static_cast<uint32_t>(10 * (user + 1)), events));
    if (progress &&
        written / kListensPerProgressLine != end / kListensPerProgressLine) {
      progress(absl::StrCat("wrote ", end, " of ", options.events, " listens"));
    }
    written = end;
  }
  return writer->Finish();
}

}  // namespace segue
