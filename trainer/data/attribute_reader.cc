#include "trainer/data/attribute_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "trainer/data/id_encoder.h"
#include "trainer/data/table_reader.h"

namespace segue {
namespace {

absl::Status NothingInCommon(const std::string& path, const std::string& column,
                             absl::string_view owner, int64_t rows,
                             const std::string& example,
                             const Vocabulary& owners) {
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": column '", column, "': none of the ", rows, " rows is of ",
      owner == "item" ? "an " : "a ", owner, " that has events; the file has '",
      example, "', the events have '", owners.id(0), "'"));
}

std::string IdText(const Column& column, int64_t i) {
  return column.is_text ? std::string(column.texts[i])
                        : absl::StrCat(column.integers[i]);
}

// Gives `owner` its value of the feature; an error names cell and id.
absl::Status AddValue(const TableReader& reader, const RowBatch& batch,
                      int request, int64_t row, int32_t owner,
                      FeatureBuilder& feature) {
  absl::Status status = feature.Add(owner, batch.columns[request], row);
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(reader.CellName(request, row), ", of '",
                   IdText(batch.columns[0], row), "': ", status.message()));
}

// One pass over an AttributeTable.
class AttributePass {
 public:
  AttributePass(const AttributeTable& table, Vocabulary& owners)
      : table_(table),
        owners_(owners),
        encoder_(&owners),
        known_(owners.size()),
        seen_(owners.size()) {
    counts_.display.resize(table.display_columns.size());
  }

  absl::StatusOr<AttributeCounts> Run();

 private:
  absl::StatusOr<std::optional<int32_t>> Owner(const Column& ids, int64_t row);
  absl::Status AddRow(const RowBatch& batch, int64_t row);
  std::vector<ColumnRequest> Requests() const;

  const AttributeTable& table_;
  Vocabulary& owners_;
  IdEncoder encoder_;
  const int32_t known_;  // owners that have events
  std::vector<bool> seen_;
  bool any_known_ = false;
  std::string example_;
  AttributeCounts counts_;
  std::unique_ptr<TableReader> reader_;
};

std::vector<ColumnRequest> AttributePass::Requests() const {
  std::vector<ColumnRequest> requests = {{table_.id_column, ColumnType::kId}};
  for (const AttributeTable::Feature& feature : table_.features) {
    requests.push_back({feature.column, feature.builder->column_type()});
  }
  for (const std::string& column : table_.display_columns) {
    requests.push_back({column, ColumnType::kText});
  }
  return requests;
}

absl::StatusOr<std::optional<int32_t>> AttributePass::Owner(const Column& ids,
                                                            int64_t row) {
  if (!table_.add_owners) return encoder_.Find(ids, row);
  const absl::StatusOr<int32_t> added = encoder_.Add(ids, row);
  if (added.ok()) return *added;
  return absl::Status(
      added.status().code(),
      absl::StrCat(reader_->CellName(0, row), ": ", added.status().message()));
}

absl::Status AttributePass::AddRow(const RowBatch& batch, int64_t row) {
  const Column& ids = batch.columns[0];
  if (ids.IsNull(row)) {
    ++counts_.unused;
    return absl::OkStatus();
  }
  if (example_.empty()) example_ = IdText(ids, row);
  ASSIGN_OR_RETURN(const std::optional<int32_t> owner, Owner(ids, row));
  if (!owner.has_value()) {
    ++counts_.unused;
    return absl::OkStatus();
  }
  any_known_ |= *owner < known_;
  seen_.resize(owners_.size());
  if (seen_[*owner]) {
    if (++counts_.duplicates == 1) {
      counts_.first_duplicate =
          absl::StrCat(reader_->CellName(0, row), ": '", IdText(ids, row), "'");
    }
    return absl::OkStatus();
  }
  seen_[*owner] = true;
  int request = 1;
  for (const AttributeTable::Feature& feature : table_.features) {
    RETURN_IF_ERROR(
        AddValue(*reader_, batch, request, row, *owner, *feature.builder));
    ++request;
  }
  for (std::vector<std::string>& texts : counts_.display) {
    texts.resize(owners_.size());
    const Column& column = batch.columns[request++];
    if (!column.IsNull(row)) texts[*owner] = std::string(column.texts[row]);
  }
  return absl::OkStatus();
}

absl::StatusOr<AttributeCounts> AttributePass::Run() {
  ASSIGN_OR_RETURN(reader_, TableReader::Open(table_.path, Requests()));
  RowBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader_->Next(batch));
    if (!more) break;
    counts_.rows += batch.rows;
    for (int64_t row = 0; row < batch.rows; ++row) {
      RETURN_IF_ERROR(AddRow(batch, row));
    }
  }
  if (counts_.rows == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        table_.path, ": has no rows; expected one a ", table_.owner));
  }
  if (!any_known_ && known_ > 0) {
    return NothingInCommon(table_.path, table_.id_column, table_.owner,
                           counts_.rows, example_, owners_);
  }
  seen_.resize(owners_.size());
  counts_.without_row = std::count(seen_.begin(), seen_.end(), false);
  counts_.has_row = std::move(seen_);
  for (std::vector<std::string>& texts : counts_.display) {
    texts.resize(owners_.size());
  }
  return std::move(counts_);
}

}  // namespace

absl::StatusOr<AttributeCounts> ReadAttributes(const AttributeTable& table,
                                               Vocabulary& owners) {
  return AttributePass(table, owners).Run();
}

absl::Status ReadMapping(const std::string& path,
                         const std::string& owner_column,
                         const std::string& value_column, Vocabulary& owners,
                         FeatureBuilder& feature) {
  ASSIGN_OR_RETURN(
      auto reader,
      TableReader::Open(path, {{owner_column, ColumnType::kId},
                               {value_column, feature.column_type()}}));
  IdEncoder encoder(&owners);
  RowBatch batch;
  int64_t rows = 0;
  bool any = false;
  std::string example;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, reader->Next(batch));
    if (!more) break;
    rows += batch.rows;
    const Column& ids = batch.columns[0];
    for (int64_t row = 0; row < batch.rows; ++row) {
      if (ids.IsNull(row)) continue;
      if (example.empty()) example = IdText(ids, row);
      const std::optional<int32_t> owner = encoder.Find(ids, row);
      if (!owner.has_value()) continue;
      any = true;
      RETURN_IF_ERROR(
          AddValue(*reader, batch, /*request=*/1, row, *owner, feature));
    }
  }
  if (any) return absl::OkStatus();
  return NothingInCommon(path, owner_column, "item", rows, example, owners);
}

}  // namespace segue
