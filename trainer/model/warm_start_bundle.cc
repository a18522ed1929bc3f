#include "trainer/model/warm_start_bundle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/config/text_proto.h"
#include "trainer/data/vector_builder.h"

namespace segue {
namespace {

// Verified files: a guard against absurd sizes only.
constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

using Columns = google::protobuf::RepeatedPtrField<v1::FeatureColumn>;

absl::StatusOr<std::string> Listed(const Bundle& bundle,
                                   const std::string& name) {
  if (FindFile(bundle.content(), name) != nullptr) return bundle.Path(name);
  return absl::FailedPreconditionError(
      absl::StrCat(bundle.folder(), " has no ", name,
                   ": training cannot begin from such a bundle"));
}

absl::StatusOr<LearntRows> OpenRows(const Bundle& bundle,
                                    const std::string& ids_name,
                                    const std::string& rows_name) {
  ASSIGN_OR_RETURN(const std::string ids_path, Listed(bundle, ids_name));
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(ids_path));
  ASSIGN_OR_RETURN(Vocabulary ids, Vocabulary::Parse(file.bytes(), ids_path));
  if (rows_name.empty()) return LearntRows(std::move(ids), {});
  ASSIGN_OR_RETURN(const std::string rows_path, Listed(bundle, rows_name));
  ASSIGN_OR_RETURN(RowMatrix rows, RowMatrix::Open(rows_path));
  if (rows.rows() != ids.rows()) {
    return absl::DataLossError(absl::StrCat(rows_path, " has ", rows.rows(),
                                            " rows, ", ids_path, " is for ",
                                            ids.rows()));
  }
  return LearntRows(std::move(ids), std::move(rows));
}

bool Embedded(const v1::FeatureColumn& column) {
  return column.kind() == v1::FeatureColumn::CATEGORICAL ||
         column.kind() == v1::FeatureColumn::MULTI_CATEGORICAL;
}

std::vector<LearntRows> FromSchema(const Columns& columns) {
  std::vector<LearntRows> features;
  for (const v1::FeatureColumn& column : columns) {
    features.push_back(Embedded(column) ? LearntRows(column) : LearntRows());
  }
  return features;
}

std::string Describe(const v1::FeatureColumn& column) {
  return absl::StrCat("\"", column.name(), "\", ",
                      v1::FeatureColumn::Kind_Name(column.kind()), ", width ",
                      column.width(), " at ", column.offset());
}

// Gathers the first difference.
class Comparison {
 public:
  void Numbers(absl::string_view what, int64_t earlier, int64_t now) {
    if (earlier != now) Differ(what, absl::StrCat(earlier), absl::StrCat(now));
  }
  void Features(absl::string_view what, const Columns& earlier,
                const Columns& now) {
    for (int i = 0; i < std::max(earlier.size(), now.size()); ++i) {
      const std::string a =
          i < earlier.size() ? Describe(earlier[i]) : "missing";
      const std::string b = i < now.size() ? Describe(now[i]) : "missing";
      if (a != b) Differ(absl::StrCat(what, "[", i, "]"), a, b);
    }
  }
  absl::Status ToStatus() const { return status_; }

 private:
  void Differ(absl::string_view what, absl::string_view earlier,
              absl::string_view now) {
    status_.Update(absl::FailedPreconditionError(
        absl::StrCat("training cannot begin from this bundle: ", what, " is ",
                     earlier, " there and ", now, " here")));
  }

  absl::Status status_;
};

}  // namespace

LearntRows::LearntRows(const v1::FeatureColumn& column)
    : values_(column.embeddings().begin(), column.embeddings().end()),
      width_(column.width()) {
  for (const std::string& value : column.values()) ids_.Add(value);
}

bool LearntRows::Knows(absl::string_view id, int32_t width) const {
  const auto row = ids_.Find(id);
  // One that was not trained on has the embedding of an unknown one.
  return row &&
         !std::equal(Row(*row), Row(*row) + width, Row(ids_.UnknownRowOf(id)));
}

absl::StatusOr<WarmStartBundle> OpenWarmStartBundle(
    const std::string& folder, const OpenOptions& options) {
  WarmStartBundle earlier;
  ASSIGN_OR_RETURN(earlier.bundle,
                   OpenBundle(folder, VerifyScope::kAll, options));
  const Bundle& bundle = earlier.bundle;
  ASSIGN_OR_RETURN(const std::string schema, Listed(bundle, layout::kSchema));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(schema, kMaxBytes));
  if (!earlier.schema.ParseFromString(bytes)) {
    return absl::DataLossError(schema + " does not parse");
  }
  if (earlier.schema.temperature() <= 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        folder, " was published before training could begin from a bundle"));
  }
  const bool user_rows = bundle.content().user_row_width() > 0;
  ASSIGN_OR_RETURN(earlier.items,
                   OpenRows(bundle, layout::kItemIds, layout::kItemRows));
  ASSIGN_OR_RETURN(earlier.users, OpenRows(bundle, layout::kUserIds,
                                           user_rows ? layout::kUserRows : ""));
  for (int i = 0; i < earlier.schema.item_features_size(); ++i) {
    earlier.item_features.emplace_back();
    if (!Embedded(earlier.schema.item_features(i))) continue;
    ASSIGN_OR_RETURN(earlier.item_features.back(),
                     OpenRows(bundle, layout::ItemFeatureIds(i),
                              layout::ItemFeatureRows(i)));
  }
  earlier.user_features = FromSchema(earlier.schema.user_features());
  earlier.request_features = FromSchema(earlier.schema.request_features());
  for (const auto& [name, to] :
       {std::pair{layout::kQueryTower, &earlier.query_tower},
        std::pair{layout::kItemTower, &earlier.item_tower}}) {
    ASSIGN_OR_RETURN(const std::string path, Listed(bundle, name));
    ASSIGN_OR_RETURN(*to, ReadFile(path, kMaxBytes));
  }
  v1::TrainerConfig config;
  ASSIGN_OR_RETURN(const std::string path,
                   Listed(bundle, layout::kTrainerConfig));
  RETURN_IF_ERROR(LoadTextProto(path, config));
  earlier.encoder = config.model().encoder();
  return earlier;
}

absl::Status CompareSchemas(const v1::FeatureSchema& earlier,
                            const v1::FeatureSchema& schema) {
  Comparison comparison;
  comparison.Numbers("the width of an item's embedding",
                     earlier.item_embedding_width(),
                     schema.item_embedding_width());
  comparison.Numbers("items.unknown_buckets", earlier.item_unknown_buckets(),
                     schema.item_unknown_buckets());
  comparison.Features("items.features", earlier.item_features(),
                      schema.item_features());
  comparison.Numbers("the width of a user's embedding",
                     earlier.user_embedding_width(),
                     schema.user_embedding_width());
  comparison.Numbers("users.unknown_buckets", earlier.user_unknown_buckets(),
                     schema.user_unknown_buckets());
  comparison.Features("users.features", earlier.user_features(),
                      schema.user_features());
  comparison.Features("request_features", earlier.request_features(),
                      schema.request_features());
  comparison.Numbers("model.example_age", earlier.has_age_scale(),
                     schema.has_age_scale());
  return comparison.ToStatus();
}

void KeepVectorScales(const v1::FeatureSchema& earlier, Dataset& data) {
  const size_t features =
      std::min<size_t>(data.item_features.size(), earlier.item_features_size());
  for (size_t i = 0; i < features; ++i) {
    const v1::FeatureColumn& column =
        earlier.item_features(static_cast<int>(i));
    FeatureTable& table = data.item_features[i];
    if (table.kind == v1::VECTOR && column.name() == table.name &&
        column.vector_scale().mean_size() == table.vector_width) {
      RescaleVectors(column.vector_scale(), table);
    }
  }
}

}  // namespace segue
