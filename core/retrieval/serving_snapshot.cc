#include "core/retrieval/serving_snapshot.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/bundle/version_use.h"
#include "core/index/faiss_index.h"
#include "core/towers/torchscript_towers.h"
#include "google/protobuf/util/json_util.h"

namespace segue {
namespace {

// Of files read whole; the rest is mapped. Verified files, so only a guard
// against absurd sizes.
constexpr uint64_t kMaxTowerBytes = uint64_t{1} << 30;
constexpr uint64_t kMaxSchemaBytes = uint64_t{1} << 30;
// What protobuf parses at most.
constexpr uint64_t kMaxAttributeBytes = (uint64_t{1} << 31) - 1;
constexpr uint64_t kMaxGoldenBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxEffortsBytes = uint64_t{1} << 20;

absl::Status Expect(absl::string_view what, int64_t found, int64_t expected) {
  if (found == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, " is ", found, ", the manifest says ", expected));
}

absl::StatusOr<Vocabulary> LoadVocabulary(const std::string& path) {
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  return Vocabulary::Parse(file.bytes(), path);
}

// Columns must lie one behind the other, from `begin` on. Where requests name
// the values (`sent`), each categorical one has its embeddings with it.
absl::StatusOr<int32_t> CheckColumns(
    absl::string_view which, bool sent, int32_t begin,
    const google::protobuf::RepeatedPtrField<v1::FeatureColumn>& columns) {
  for (const v1::FeatureColumn& column : columns) {
    const bool number = column.kind() == v1::FeatureColumn::NUMERIC;
    if (column.offset() != begin || column.width() < 1 ||
        (number && column.width() != 1) ||
        ((sent ? !number : !column.embeddings().empty()) &&
         column.embeddings_size() !=
             int64_t{column.values_size() + 1} * column.width())) {
      return absl::FailedPreconditionError(
          absl::StrCat("schema.pb: ", which, " feature ", column.name(),
                       " does not fit its row"));
    }
    begin += column.width();
  }
  return begin;
}

absl::Status CheckSchema(const v1::FeatureSchema& schema,
                         const v1::Content& content) {
  ASSIGN_OR_RETURN(
      const int32_t item_width,
      CheckColumns("item", /*sent=*/false, schema.item_embedding_width(),
                   schema.item_features()));
  RETURN_IF_ERROR(Expect("schema.pb: width of an item row", item_width,
                         content.item_row_width()));
  ASSIGN_OR_RETURN(
      int32_t user_width,
      CheckColumns("user", /*sent=*/true, schema.user_embedding_width(),
                   schema.user_features()));
  ASSIGN_OR_RETURN(user_width,
                   CheckColumns("request", /*sent=*/true, user_width,
                                schema.request_features()));
  return Expect("schema.pb: width of a user row", user_width,
                content.user_row_width());
}

// Only served files are verified before they are read.
bool Serves(const v1::Content& content, const char* name) {
  const v1::File* file = FindFile(content, name);
  return file != nullptr && file->served();
}

// What is read without a look at the manifest.
absl::Status CheckServed(const v1::Content& content) {
  std::vector<const char*> read = {
      layout::kSchema,    layout::kItemIds,     layout::kUserIds,
      layout::kItemRows,  layout::kItemDisplay, layout::kQueryTower,
      layout::kItemTower, layout::kIndex,       layout::kGoldenRequests};
  if (content.user_row_width() > 0) read.push_back(layout::kUserRows);
  for (const char* name : read) {
    if (Serves(content, name)) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the manifest does not list ", name, " as served"));
  }
  return absl::OkStatus();
}

absl::Status LoadRemoved(const std::string& folder, const v1::Content& content,
                         ServingSnapshot& snapshot) {
  if (!Serves(content, layout::kRemovedItems)) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const MappedFile file,
      MappedFile::Open(absl::StrCat(folder, "/", layout::kRemovedItems)));
  const auto removed = RowSet::Parse(file.bytes(), content.items());
  if (!removed.ok()) {
    return absl::DataLossError(
        absl::StrCat(layout::kRemovedItems, " ", removed.status().message()));
  }
  if (removed->size() == content.items()) {
    return absl::FailedPreconditionError(
        absl::StrCat(layout::kRemovedItems, ": no item is left"));
  }
  snapshot.available = RowSet(0, static_cast<int32_t>(content.items()));
  snapshot.available->Subtract(*removed);
  snapshot.available->Shrink();
  return absl::OkStatus();
}

absl::Status LoadEfforts(const std::string& folder, const v1::Content& content,
                         ServingSnapshot& snapshot) {
  if (!Serves(content, layout::kEfforts)) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::string bytes,
      ReadFile(absl::StrCat(folder, "/", layout::kEfforts), kMaxEffortsBytes));
  v1::Efforts efforts;
  if (!efforts.ParseFromString(bytes)) {
    return absl::DataLossError("index.efforts does not parse");
  }
  ASSIGN_OR_RETURN(snapshot.efforts, EffortTable::Create(efforts));
  snapshot.target_overlap = efforts.target_overlap();
  return absl::OkStatus();
}

absl::Status LoadAttributes(const std::string& folder,
                            const v1::Content& content,
                            ServingSnapshot& snapshot) {
  if (!Serves(content, layout::kItemAttributes)) return absl::OkStatus();
  v1::Attributes attributes;
  {  // The bytes are gone before the index takes its memory.
    ASSIGN_OR_RETURN(
        const MappedFile file,
        MappedFile::Open(absl::StrCat(folder, "/", layout::kItemAttributes)));
    const absl::string_view bytes = file.bytes();
    if (bytes.size() > kMaxAttributeBytes ||
        !attributes.ParseFromArray(bytes.data(),
                                   static_cast<int>(bytes.size()))) {
      return absl::DataLossError("items.attributes does not parse");
    }
  }
  ASSIGN_OR_RETURN(snapshot.attributes,
                   AttributeIndex::Create(attributes, content.items()));
  return absl::OkStatus();
}

absl::Status LoadTables(const std::string& folder, const v1::Content& content,
                        Deadline deadline, ServingSnapshot& snapshot) {
  const auto path = [&](const char* name) {
    return absl::StrCat(folder, "/", name);
  };
  ASSIGN_OR_RETURN(const std::string schema,
                   ReadFile(path(layout::kSchema), kMaxSchemaBytes));
  if (!snapshot.schema.ParseFromString(schema)) {
    return absl::DataLossError("schema.pb does not parse");
  }
  RETURN_IF_ERROR(CheckSchema(snapshot.schema, content));
  ASSIGN_OR_RETURN(snapshot.items, LoadVocabulary(path(layout::kItemIds)));
  RETURN_IF_ERROR(deadline.Check());
  ASSIGN_OR_RETURN(snapshot.users, LoadVocabulary(path(layout::kUserIds)));
  RETURN_IF_ERROR(
      Expect("items.vocab: items", snapshot.items.size(), content.items()));
  RETURN_IF_ERROR(
      Expect("users.vocab: users", snapshot.users.size(), content.users()));
  RETURN_IF_ERROR(deadline.Check());
  ASSIGN_OR_RETURN(snapshot.item_rows,
                   RowMatrix::Open(path(layout::kItemRows)));
  RETURN_IF_ERROR(Expect("items.rows: rows", snapshot.item_rows.rows(),
                         snapshot.items.rows()));
  RETURN_IF_ERROR(Expect("items.rows: width", snapshot.item_rows.width(),
                         content.item_row_width()));
  if (content.user_row_width() > 0) {
    ASSIGN_OR_RETURN(snapshot.user_rows,
                     RowMatrix::Open(path(layout::kUserRows)));
    RETURN_IF_ERROR(Expect("users.rows: rows", snapshot.user_rows.rows(),
                           snapshot.users.rows()));
    RETURN_IF_ERROR(Expect("users.rows: width", snapshot.user_rows.width(),
                           content.user_row_width()));
  }
  ASSIGN_OR_RETURN(snapshot.display,
                   DisplayTable::Open(path(layout::kItemDisplay),
                                      snapshot.schema.display_columns_size(),
                                      snapshot.items.size()));
  RETURN_IF_ERROR(LoadRemoved(folder, content, snapshot));
  RETURN_IF_ERROR(deadline.Check());
  return LoadAttributes(folder, content, snapshot);
}

template <typename Message>
absl::Status LoadJson(const std::string& folder, const char* name,
                      Message& message) {
  ASSIGN_OR_RETURN(const std::string json,
                   ReadFile(absl::StrCat(folder, "/", name), kMaxGoldenBytes));
  if (!google::protobuf::util::JsonStringToMessage(json, &message).ok()) {
    return absl::DataLossError(absl::StrCat(name, " does not parse"));
  }
  return absl::OkStatus();
}

absl::Status LoadGolden(const std::string& folder, const v1::Content& content,
                        ServingSnapshot& snapshot) {
  RETURN_IF_ERROR(
      LoadJson(folder, layout::kGoldenRequests, snapshot.golden_requests));
  if (!Serves(content, layout::kGoldenAnswers)) return absl::OkStatus();
  RETURN_IF_ERROR(
      LoadJson(folder, layout::kGoldenAnswers, snapshot.golden_answers));
  for (const v1::RetrieveResponse& answer :
       snapshot.golden_answers.responses()) {
    RETURN_IF_ERROR(Expect("golden_answers.json: scores of an answer",
                           answer.scores_size(), answer.item_ids_size()));
  }
  return Expect("golden_answers.json: answers",
                snapshot.golden_answers.responses_size(),
                snapshot.golden_requests.requests_size());
}

absl::Status LoadTowersAndIndex(const std::string& folder,
                                const v1::Content& content, Deadline deadline,
                                ServingSnapshot& snapshot) {
  const auto path = [&](const char* name) {
    return absl::StrCat(folder, "/", name);
  };
  snapshot.shape = {.user_width = content.user_row_width(),
                    .item_width = content.item_row_width(),
                    .history_length = content.history_length(),
                    .dimension = content.dimension(),
                    .history_times = snapshot.schema.history_times()};
  ASSIGN_OR_RETURN(const std::string query_tower,
                   ReadFile(path(layout::kQueryTower), kMaxTowerBytes));
  ASSIGN_OR_RETURN(snapshot.query_tower,
                   LoadQueryTower(query_tower, snapshot.shape));
  RETURN_IF_ERROR(deadline.Check());
  ASSIGN_OR_RETURN(const std::string item_tower,
                   ReadFile(path(layout::kItemTower), kMaxTowerBytes));
  ASSIGN_OR_RETURN(snapshot.item_tower,
                   LoadItemTower(item_tower, snapshot.shape));
  if (content.index().tower_hash() != content.tower_hash()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the index was built with towers ", content.index().tower_hash(),
        ", the bundle's are ", content.tower_hash()));
  }
  ASSIGN_OR_RETURN(snapshot.index,
                   LoadFaissIndex(path(layout::kIndex),
                                  {.dimension = content.dimension(),
                                   .size = content.items(),
                                   .effort = {content.index().nprobe(),
                                              content.index().k_factor()}},
                                  deadline));
  return LoadEfforts(folder, content, snapshot);
}

}  // namespace

EffortPoint ServingSnapshot::EffortFor(int32_t k, double target,
                                       int32_t more) const {
  if (efforts.empty()) {
    // Without one it is exact; or of a bundle from before there were tables.
    const SearchEffort effort = index->effort();
    return {.effort = effort, .overlap = effort == SearchEffort() ? 1.0 : 0.0};
  }
  return efforts.Reach(k, target > 0 ? target : target_overlap, more);
}

namespace {

absl::StatusOr<std::shared_ptr<ServingSnapshot>> Load(
    const std::string& folder, const v1::Manifest& manifest,
    Deadline deadline) {
  const v1::Content& content = manifest.content();
  if (content.metric() != "inner_product") {
    return absl::FailedPreconditionError(absl::StrCat(
        "metric \"", content.metric(), "\" is not \"inner_product\""));
  }
  if (content.items() < 1 || content.history_length() < 1 ||
      content.dimension() < 1 || content.item_row_width() < 1 ||
      content.user_row_width() < 0) {
    return absl::FailedPreconditionError(
        "the manifest has counts that no bundle can have");
  }
  RETURN_IF_ERROR(CheckServed(content));
  RETURN_IF_ERROR(deadline.Check());
  auto snapshot = std::make_shared<ServingSnapshot>();
  snapshot->version = manifest.version();
  RETURN_IF_ERROR(LoadTables(folder, content, deadline, *snapshot));
  RETURN_IF_ERROR(deadline.Check());
  RETURN_IF_ERROR(LoadTowersAndIndex(folder, content, deadline, *snapshot));
  RETURN_IF_ERROR(deadline.Check());
  RETURN_IF_ERROR(LoadGolden(folder, content, *snapshot));
  snapshot->bytes = ServedBytes(content);
  return snapshot;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ServingSnapshot>> LoadServingSnapshot(
    const Bundle& bundle, Deadline deadline) {
  ASSIGN_OR_RETURN(Descriptor in_use, UseVersion(bundle.folder()));
  ASSIGN_OR_RETURN(auto snapshot,
                   Load(bundle.folder(), bundle.manifest(), deadline));
  snapshot->in_use = std::move(in_use);
  return snapshot;
}

absl::StatusOr<std::shared_ptr<const ServingSnapshot>> LoadServingSnapshot(
    const std::string& folder, const v1::Manifest& manifest) {
  return Load(folder, manifest, Deadline::Infinite());
}

}  // namespace segue
