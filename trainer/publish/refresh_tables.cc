#include "trainer/publish/refresh_tables.h"

#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/catalog/display_table.h"
#include "core/catalog/row_matrix.h"
#include "trainer/data/feature_config.h"
#include "trainer/publish/item_attributes.h"

namespace segue {
namespace {

bool IsOfEvents(const v1::ItemsConfig& items, absl::string_view name) {
  for (const v1::ItemFeature* column : ItemColumns(items)) {
    if (column->name() == name) {
      return column->source() == v1::ItemFeature::EVENTS;
    }
  }
  return false;
}

}  // namespace

void RefreshedTables::ReadRow(int64_t row, absl::Span<float> out) const {
  const RefreshedRow& of = plan_.rows[row];
  const bool old = of.item < before_.items.size();
  if (old && (!of.alive || fates_[of.item] == ItemFate::kSame)) {
    const absl::Span<const float> kept = before_.item_rows.Row(of.item);
    std::copy(kept.begin(), kept.end(), out.begin());
    return;
  }
  fused_.Compose(of.item, old ? before_.item_rows.Row(of.item).data() : nullptr,
                 out);
}

absl::Status RefreshedTables::Write(BundleWriter& writer) const {
  RETURN_IF_ERROR(
      WriteFileAtomically(writer.Add(layout::kItemIds, FileRole::kServed),
                          IdsOf(plan_, catalogue_.data.items).Serialize()));
  RETURN_IF_ERROR(WriteRows(writer));
  RETURN_IF_ERROR(WriteDisplay(writer));
  RETURN_IF_ERROR(WriteAttributes(writer));
  return WriteRemoved(writer);
}

absl::Status RefreshedTables::WriteRows(BundleWriter& writer) const {
  const Vocabulary& old = before_.items;
  const auto count = static_cast<int64_t>(plan_.rows.size());
  ASSIGN_OR_RETURN(
      auto rows,
      RowMatrixWriter::Create(writer.Add(layout::kItemRows, FileRole::kServed),
                              count + old.unknown_buckets(), fused_.width()));
  std::vector<float> row(fused_.width());
  for (int64_t r = 0; r < count; ++r) {
    ReadRow(r, absl::MakeSpan(row));
    RETURN_IF_ERROR(rows->Append(row));
  }
  for (int32_t r = old.unknown_row(); r < old.rows(); ++r) {
    RETURN_IF_ERROR(rows->Append(before_.item_rows.Row(r)));
  }
  return rows->Finish();
}

absl::Status RefreshedTables::WriteDisplay(BundleWriter& writer) const {
  const int columns = before_.schema.display_columns_size();
  std::vector<std::vector<std::string>> display(columns);
  for (int c = 0; c < columns; ++c) {
    for (const RefreshedRow& of : plan_.rows) {
      // What is removed is called as before.
      display[c].emplace_back(
          of.alive ? absl::string_view(catalogue_.data.display[c][of.item])
                   : before_.display.Value(c, of.item));
    }
  }
  return WriteFileAtomically(
      writer.Add(layout::kItemDisplay, FileRole::kServed),
      DisplayTable::Serialize(display));
}

absl::Status RefreshedTables::WriteAttributes(BundleWriter& writer) const {
  if (items_.attributes().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(v1::Attributes attributes,
                   ItemAttributes(items_, catalogue_.data));
  const auto count = static_cast<int64_t>(plan_.rows.size());
  std::vector<int32_t> rows = RowsOf(plan_, catalogue_.data.items.size());
  MoveAttributes(rows, count, attributes);
  // What events said of items the file cannot say: it stays.
  rows.resize(before_.items.size());
  ASSIGN_OR_RETURN(v1::Attributes old, ReadAttributesFile(learnt_.bundle));
  MoveAttributes(rows, count, old);
  for (int i = 0; i < attributes.columns_size(); ++i) {
    if (!IsOfEvents(items_, attributes.columns(i).name())) continue;
    for (v1::AttributeColumn& column : *old.mutable_columns()) {
      if (column.name() == attributes.columns(i).name()) {
        attributes.mutable_columns(i)->Swap(&column);
      }
    }
  }
  return WriteAttributesFile(attributes, writer);
}

absl::Status RefreshedTables::WriteRemoved(BundleWriter& writer) const {
  std::vector<int32_t> dead;
  for (size_t r = 0; r < plan_.rows.size(); ++r) {
    if (!plan_.rows[r].alive) dead.push_back(static_cast<int32_t>(r));
  }
  if (dead.empty()) return absl::OkStatus();
  RowSet removed(dead);
  removed.Shrink();
  return WriteFileAtomically(
      writer.Add(layout::kRemovedItems, FileRole::kServed),
      removed.Serialize());
}

}  // namespace segue
