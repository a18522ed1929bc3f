#include "tests/server/snapshots.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/bundle/bundle_reader.h"
#include "core/catalog/row_matrix.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue::testing {
namespace {

constexpr TowerShape kShape = {
    .user_width = 0, .item_width = 1, .history_length = 1, .dimension = 1};

class FakeQueryTower : public QueryTower {
 public:
  explicit FakeQueryTower(FakeParts parts) : parts_(std::move(parts)) {}
  const TowerShape& shape() const override { return kShape; }
  absl::Status Embed(const QueryInputs& inputs,
                     absl::Span<float> out) const override {
    std::fill(out.begin(), out.end(), 1.0f);
    return parts_.on_embed ? parts_.on_embed(inputs.seed) : absl::OkStatus();
  }

 private:
  const FakeParts parts_;
};

class FakeIndex : public VectorIndex {
 public:
  explicit FakeIndex(FakeParts parts) : parts_(std::move(parts)) {}
  int64_t size() const override { return parts_.items; }
  int32_t dimension() const override { return kShape.dimension; }
  SearchEffort effort() const override { return {}; }
  absl::StatusOr<std::vector<float>> Vectors(
      absl::Span<const int32_t> rows) const override {
    return std::vector<float>(rows.size() * kShape.dimension, 1.0f);
  }
  absl::StatusOr<Found> Search(absl::Span<const float>,
                               const SearchOptions& options) const override {
    const std::set<int32_t> out(options.excluded.begin(),
                                options.excluded.end());
    Found found;
    for (int32_t row = 0; row < parts_.items; ++row) {
      if (out.count(row) > 0) continue;
      if (options.allowed != nullptr && !options.allowed->Contains(row)) {
        continue;
      }
      ++found.allowed;
      if (static_cast<int32_t>(found.neighbors.size()) < options.k) {
        found.neighbors.push_back({row, 0.5f});
      }
    }
    if (options.exact) {
      if (parts_.on_exact_search) parts_.on_exact_search();
      return found;
    }
    if (!parts_.on_search) return found;
    const absl::Status status = parts_.on_search(found.neighbors);
    if (!status.ok()) return status;
    return found;
  }

 private:
  const FakeParts parts_;
};

// Row i is {i}; the last one is that of unknown items.
absl::StatusOr<RowMatrix> CountingRows(int rows) {
  const TempFolder folder;
  auto writer = RowMatrixWriter::Create(folder / "rows", rows, 1);
  if (!writer.ok()) return writer.status();
  for (int i = 0; i < rows; ++i) {
    const float value = static_cast<float>(i);
    EXPECT_THAT((*writer)->Append({&value, 1}), IsOk());
  }
  EXPECT_THAT((*writer)->Finish(), IsOk());
  return RowMatrix::Open(folder / "rows");
}

}  // namespace

std::shared_ptr<const ServingSnapshot> TinySnapshot(
    const TinyBundleOptions& options) {
  const TempFolder folder;
  const auto version = PublishTinyBundle(folder.path(), options);
  EXPECT_THAT(version, IsOk());
  if (!version.ok()) return nullptr;
  const auto bundle = OpenBundle(folder / *version, VerifyScope::kServed);
  EXPECT_THAT(bundle, IsOk());
  if (!bundle.ok()) return nullptr;
  auto snapshot = LoadServingSnapshot(*bundle);
  EXPECT_THAT(snapshot, IsOk());
  return snapshot.ok() ? *std::move(snapshot) : nullptr;
}

std::shared_ptr<ServingSnapshot> FakeSnapshot(const FakeParts& parts) {
  auto snapshot = std::make_shared<ServingSnapshot>();
  snapshot->version = "fake";
  snapshot->shape = kShape;
  for (int i = 0; i < parts.items; ++i) {
    snapshot->items.Add(absl::StrCat("i", i));
  }
  auto rows = CountingRows(snapshot->items.rows());
  EXPECT_THAT(rows, IsOk());
  if (rows.ok()) snapshot->item_rows = *std::move(rows);
  snapshot->query_tower = std::make_unique<FakeQueryTower>(parts);
  snapshot->index = std::make_unique<FakeIndex>(parts);
  return snapshot;
}

}  // namespace segue::testing
