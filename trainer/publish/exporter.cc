#include "trainer/publish/exporter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/catalog/display_table.h"
#include "core/catalog/row_matrix.h"
#include "core/index/faiss_index.h"
#include "core/towers/torchscript_towers.h"
#include "google/protobuf/text_format.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/item_attributes.h"
#include "trainer/report/json.h"

namespace segue {
namespace {

// Calls `read(row, out)` for each row and writes them to a file.
template <typename Read>
absl::Status WriteRows(const std::string& path, int64_t rows, int32_t width,
                       Read read) {
  ASSIGN_OR_RETURN(auto file, RowMatrixWriter::Create(path, rows, width));
  std::vector<float> row(width);
  for (int64_t r = 0; r < rows; ++r) {
    read(r, absl::MakeSpan(row));
    RETURN_IF_ERROR(file->Append(row));
  }
  return file->Finish();
}

absl::Status WriteTables(const TwoTowerModel& model, const Dataset& data,
                         const v1::ItemsConfig& config,
                         const v1::FeatureSchema& schema,
                         BundleWriter& writer) {
  RETURN_IF_ERROR(WriteFileAtomically(
      writer.Add(layout::kItemIds, FileRole::kServed), data.items.Serialize()));
  RETURN_IF_ERROR(WriteFileAtomically(
      writer.Add(layout::kUserIds, FileRole::kServed), data.users.Serialize()));
  RETURN_IF_ERROR(WriteRows(writer.Add(layout::kItemRows, FileRole::kServed),
                            data.items.rows(), model.shape().item_width,
                            [&](int64_t row, absl::Span<float> out) {
                              model.ReadItemRow(row, out);
                            }));
  for (int i = 0; i < static_cast<int>(data.item_features.size()); ++i) {
    const Vocabulary& values = data.item_features[i].values;
    const v1::FeatureColumn& column = schema.item_features(i);
    if (column.kind() != v1::FeatureColumn::CATEGORICAL &&
        column.kind() != v1::FeatureColumn::MULTI_CATEGORICAL) {
      continue;
    }
    RETURN_IF_ERROR(WriteFileAtomically(
        writer.Add(layout::ItemFeatureIds(i), FileRole::kAuxiliary),
        values.Serialize()));
    RETURN_IF_ERROR(WriteRows(
        writer.Add(layout::ItemFeatureRows(i), FileRole::kAuxiliary),
        values.rows(), column.width(), [&](int64_t row, absl::Span<float> out) {
          model.ReadItemValue(i, row, out);
        }));
  }
  if (model.shape().user_width > 0) {
    RETURN_IF_ERROR(WriteRows(writer.Add(layout::kUserRows, FileRole::kServed),
                              data.users.rows(), model.shape().user_width,
                              [&](int64_t row, absl::Span<float> out) {
                                model.ReadUserRow(row, out);
                              }));
  }
  if (!config.attributes().empty()) {
    ASSIGN_OR_RETURN(const v1::Attributes attributes,
                     ItemAttributes(config, data));
    RETURN_IF_ERROR(WriteAttributesFile(attributes, writer));
  }
  return WriteFileAtomically(
      writer.Add(layout::kItemDisplay, FileRole::kServed),
      DisplayTable::Serialize(data.display));
}

// What the index was tuned on, and what that showed.
absl::Status WriteTuning(absl::Span<const float> queries,
                         const v1::IndexConfig& config, const BuiltIndex& built,
                         int32_t dimension, BundleWriter& writer) {
  if (!built.efforts.empty()) {
    v1::Efforts efforts;
    built.efforts.ToProto(efforts);
    // Where limits kept it from more, searches must not ask for more.
    efforts.set_target_overlap(
        std::min(config.target_overlap(), built.overlap));
    RETURN_IF_ERROR(
        WriteFileAtomically(writer.Add(layout::kEfforts, FileRole::kServed),
                            efforts.SerializeAsString()));
  }
  if (queries.empty()) return absl::OkStatus();
  return WriteRows(writer.Add(layout::kTuningQueries, FileRole::kAuxiliary),
                   static_cast<int64_t>(queries.size()) / dimension, dimension,
                   [&](int64_t row, absl::Span<float> out) {
                     std::copy_n(queries.begin() + row * dimension, dimension,
                                 out.begin());
                   });
}

}  // namespace

std::map<std::string, std::string> LibraryVersions() {
  return {{"segue", SEGUE_VERSION},
          {"libtorch", TorchVersion()},
          {"faiss", FaissVersion()},
          {"protobuf",
           google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)},
          {"arrow", ArrowVersion()}};
}

absl::StatusOr<v1::Content> ExportModel(const TwoTowerModel& model,
                                        const Dataset& data,
                                        const v1::TrainerConfig& config,
                                        const v1::BatchRetrieveRequest& golden,
                                        BundleWriter& writer) {
  const v1::FeatureSchema schema = model.Schema();
  RETURN_IF_ERROR(
      WriteFileAtomically(writer.Add(layout::kSchema, FileRole::kServed),
                          schema.SerializeAsString()));
  RETURN_IF_ERROR(WriteTables(model, data, config.items(), schema, writer));
  RETURN_IF_ERROR(
      model.SaveTowers(writer.Add(layout::kQueryTower, FileRole::kServed),
                       writer.Add(layout::kItemTower, FileRole::kServed)));
  ASSIGN_OR_RETURN(const std::string json,
                   MessageToJson(golden, /*spaced=*/false));
  RETURN_IF_ERROR(WriteFileAtomically(
      writer.Add(layout::kGoldenRequests, FileRole::kServed), json));
  // Where a run lies and where it publishes is not part of what it is.
  v1::TrainerConfig kept = config;
  kept.clear_run_dir();
  kept.clear_bundle_root();
  LeaveOutSigningKey(kept);
  kept.mutable_training()->clear_warm_start_bundle();
  std::string text;
  google::protobuf::TextFormat::PrintToString(kept, &text);
  RETURN_IF_ERROR(WriteFileAtomically(
      writer.Add(layout::kTrainerConfig, FileRole::kAuxiliary), text));

  v1::Content content;
  content.set_items(data.items.size());
  content.set_users(data.users.size());
  content.set_dimension(model.shape().dimension);
  content.set_metric("inner_product");
  content.set_history_length(model.shape().history_length);
  content.set_item_row_width(model.shape().item_width);
  content.set_user_row_width(model.shape().user_width);
  for (const auto& [name, version] : LibraryVersions()) {
    (*content.mutable_library_versions())[name] = version;
  }
  return content;
}

absl::StatusOr<BuiltIndex> ExportIndex(
    const Vocabulary& items, absl::Span<const float> vectors,
    absl::Span<const float> queries, const v1::TrainerConfig& config,
    int32_t threads, const std::function<void(absl::string_view)>& progress,
    BundleWriter& writer, v1::Content& content) {
  const auto name = [&](int64_t row) {
    return absl::StrCat("item \"", items.id(static_cast<int32_t>(row)), "\"");
  };
  ASSIGN_OR_RETURN(BuiltIndex built,
                   BuildIndex({.dimension = content.dimension(),
                               .vectors = vectors,
                               .queries = queries,
                               .config = config.index(),
                               .threads = threads,
                               .seed = config.seed(),
                               .name = name,
                               .progress = progress},
                              writer.Add(layout::kIndex, FileRole::kServed)));
  v1::IndexInfo& info = *content.mutable_index();
  info.Clear();
  info.set_description(built.description);
  info.set_nprobe(built.effort.nprobe);
  info.set_k_factor(built.effort.k_factor);
  RETURN_IF_ERROR(
      WriteTuning(queries, config.index(), built, content.dimension(), writer));
  return built;
}

}  // namespace segue
