// Fed: a byte that names one of a bundle's tables, and its bytes: v a
// vocabulary, r a set of rows, a items.attributes, e index.efforts.
// Must hold: each is taken or is DataLoss; what is taken can be asked without
// leaving it.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/catalog/attribute_index.h"
#include "core/index/effort_table.h"
#include "core/rows/row_set.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/bundle.pb.h"
#include "tests/fuzz/must.h"

namespace segue::fuzz {
namespace {

constexpr int64_t kItems = 100;

void AskVocabulary(absl::string_view bytes) {
  const auto vocabulary = Vocabulary::Parse(bytes, "items.vocab");
  MustBeOkOr(vocabulary.status(), absl::StatusCode::kDataLoss);
  if (!vocabulary.ok()) return;
  for (int32_t row = 0; row < vocabulary->size(); ++row) {
    Must(vocabulary->Find(vocabulary->id(row)) == row, "ids have their rows");
  }
  Must(vocabulary->FindOrUnknown("no such id") < vocabulary->rows(),
       "what is unknown has a row");
}

void AskRows(absl::string_view bytes) {
  const auto rows = RowSet::Parse(bytes, kItems);
  MustBeOkOr(rows.status(), absl::StatusCode::kDataLoss);
  if (!rows.ok()) return;
  for (const int32_t row : rows->ToRows()) {
    Must(row >= 0 && row < kItems && rows->Contains(row), "rows are items");
  }
  RowSet all(0, kItems);
  all.Subtract(*rows);
  Must(all.size() == kItems - rows->size(), "the others are the rest");
}

void AskAttributes(absl::string_view bytes) {
  v1::Attributes from;
  if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return;
  }
  const auto attributes = AttributeIndex::Create(from, kItems);
  MustBeOkOr(attributes.status(), absl::StatusCode::kDataLoss);
  if (!attributes.ok()) return;
  for (int i = 0; i < attributes->size(); ++i) {
    if (attributes->kind(i) == v1::AttributeColumn::NUMERIC) {
      Must(attributes->InRange(i, -1, 3).size() <= kItems, "rows are items");
      continue;
    }
    RowSet rows;
    attributes->AddWithValue(i, "drama", rows);
    for (const int32_t row : rows.ToRows()) {
      Must(!attributes->ValuesOf(i, row).empty(), "values go both ways");
    }
  }
}

void AskEfforts(absl::string_view bytes) {
  v1::Efforts from;
  if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return;
  }
  const auto efforts = EffortTable::Create(from);
  MustBeOkOr(efforts.status(), absl::StatusCode::kDataLoss);
  if (!efforts.ok() || efforts->empty()) return;
  for (const int32_t k : {1, 10, 55, 100, 100000}) {
    for (const double target : {0.0, 0.5, 0.97, 1.0}) {
      const EffortPoint point = efforts->Reach(k, target, /*more=*/1);
      Must(point.overlap >= 0 && point.overlap <= 1, "an overlap is a share");
    }
  }
}

}  // namespace
}  // namespace segue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace segue;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1,
                                size - 1);
  switch (data[0]) {
    case 'v':
      fuzz::AskVocabulary(bytes);
      break;
    case 'r':
      fuzz::AskRows(bytes);
      break;
    case 'a':
      fuzz::AskAttributes(bytes);
      break;
    case 'e':
      fuzz::AskEfforts(bytes);
      break;
    default:
      return 0;
  }
  return 0;
}
