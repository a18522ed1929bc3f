#include "tests/testing/tiny_bundle.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_writer.h"
#include "core/bundle/layout.h"
#include "core/catalog/display_table.h"
#include "core/catalog/row_matrix.h"
#include "core/index_build/index_builder.h"
#include "core/retrieval/golden.h"
#include "core/retrieval/serving_snapshot.h"
#include "core/schema/vocabulary.h"
#include "core/towers/torchscript_towers.h"
#include "google/protobuf/util/json_util.h"
#include "segue/v1/retrieval.pb.h"
#include "trainer/base/random.h"
#include "trainer/model/tower_scripts.h"

namespace segue::testing {
namespace {

constexpr uint64_t kMaxBytes = 1 << 20;
constexpr TowerShape kShape = {
    .user_width = 7, .item_width = 4, .history_length = 3, .dimension = 4};

v1::FeatureColumn Categorical(const std::string& name, int offset,
                              const std::vector<std::string>& values) {
  v1::FeatureColumn column;
  column.set_name(name);
  column.set_kind(v1::FeatureColumn::CATEGORICAL);
  column.set_offset(offset);
  column.set_width(2);
  for (size_t i = 0; i < values.size(); ++i) {
    column.add_values(values[i]);
    column.add_embeddings(1.0f + static_cast<float>(i));
    column.add_embeddings(-1.0f);
  }
  column.add_embeddings(0);  // of an unknown value
  column.add_embeddings(0);
  return column;
}

v1::FeatureColumn Numeric(const std::string& name, int offset) {
  v1::FeatureColumn column;
  column.set_name(name);
  column.set_kind(v1::FeatureColumn::NUMERIC);
  column.set_offset(offset);
  column.set_width(1);
  column.mutable_scale()->set_mean(30);
  column.mutable_scale()->set_standard_deviation(10);
  return column;
}

v1::FeatureSchema Schema(const TinyBundleOptions& options) {
  v1::FeatureSchema schema;
  schema.set_history_times(options.history_times);
  schema.set_item_embedding_width(3);
  *schema.add_item_features() = Numeric("length", 3);
  schema.set_item_unknown_buckets(1);
  schema.set_user_embedding_width(2);
  *schema.add_user_features() = Categorical("plan", 2, {"free", "paid"});
  *schema.add_user_features() = Numeric("age", 4);
  *schema.add_request_features() = Categorical("device", 5, {"phone", "tv"});
  schema.set_user_unknown_buckets(1);
  schema.set_serving_age(-1);
  schema.add_display_columns("title");
  schema.add_display_columns("artist");
  return schema;
}

std::vector<float> RandomRows(int rows, int width, Random& random) {
  std::vector<float> values(static_cast<size_t>(rows) * width);
  for (float& value : values) value = static_cast<float>(random.Normal());
  return values;
}

absl::Status WriteRows(const std::string& path, int rows, int width,
                       const std::vector<float>& values) {
  ASSIGN_OR_RETURN(auto writer, RowMatrixWriter::Create(path, rows, width));
  RETURN_IF_ERROR(writer->Append(values));
  return writer->Finish();
}

absl::Status WriteIds(const std::string& path, const std::string& prefix,
                      int count) {
  Vocabulary ids(1);
  for (int i = 0; i < count; ++i) ids.Add(absl::StrCat(prefix, i));
  return WriteFileAtomically(path, ids.Serialize());
}

absl::Status WriteDisplay(const std::string& path, int items) {
  std::vector<std::vector<std::string>> columns(2);
  for (int i = 0; i < items; ++i) {
    columns[0].push_back(absl::StrCat("Title ", i));
    columns[1].push_back(absl::StrCat("Artist ", i % 3));
  }
  return WriteFileAtomically(path, DisplayTable::Serialize(columns));
}

// "parity" of an item's number, and its "year", 2000 and later.
absl::Status WriteAttributes(const std::string& path, int items) {
  v1::Attributes attributes;
  v1::AttributeColumn& parity = *attributes.add_columns();
  parity.set_name("parity");
  parity.set_kind(v1::AttributeColumn::CATEGORICAL);
  for (const int odd : {0, 1}) {
    parity.add_values(odd == 0 ? "even" : "odd");
    parity.add_begins(parity.rows_size());
    for (int i = odd; i < items; i += 2) parity.add_rows(i);
  }
  parity.add_begins(parity.rows_size());
  v1::AttributeColumn& year = *attributes.add_columns();
  year.set_name("year");
  year.set_kind(v1::AttributeColumn::NUMERIC);
  for (int i = 0; i < items; ++i) year.add_numbers(2000 + i);
  return WriteFileAtomically(path, attributes.SerializeAsString());
}

absl::Status WriteGolden(const std::string& path, const std::string& prefix) {
  v1::BatchRetrieveRequest golden;
  v1::RetrieveRequest& request = *golden.add_requests();
  request.set_user_id("u0");
  request.add_history(absl::StrCat(prefix, 0));
  request.set_top_k(5);
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(golden, &json).ok()) {
    return absl::InternalError("golden requests do not become JSON");
  }
  return WriteFileAtomically(path, json);
}

// Embeds the catalogue with the tower as it was saved, and indexes it.
absl::StatusOr<BuiltIndex> WriteIndex(const std::string& tower_path,
                                      const std::string& path, int items,
                                      const std::vector<float>& rows) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(tower_path, kMaxBytes));
  ASSIGN_OR_RETURN(const auto tower, LoadItemTower(bytes, kShape));
  std::vector<float> vectors(static_cast<size_t>(items) * kShape.dimension);
  RETURN_IF_ERROR(tower->Embed(
      items, absl::MakeSpan(rows).subspan(0, items * kShape.item_width),
      absl::MakeSpan(vectors)));
  IndexBuildInputs inputs;
  inputs.dimension = kShape.dimension;
  inputs.vectors = vectors;
  inputs.queries = vectors;
  inputs.config.set_kind(v1::IndexConfig::FLAT);
  return BuildIndex(inputs, path);
}

torch::jit::Module QueryTowerOf(const TinyBundleOptions& options,
                                TowerOptions towers) {
  if (!options.history_times) return MakeQueryTower(kShape, towers);
  torch::NoGradGuard no_grad;
  TowerShape shape = kShape;
  shape.history_times = true;
  towers.encoder = {
      .kind = v1::EncoderConfig::HSTU, .width = 4, .blocks = 1, .heads = 1};
  torch::jit::Module tower = MakeQueryTower(shape, towers);
  // Untrained, the biases are 0.
  torch::Tensor bias = tower.attr("block0_time_bias").toTensor();
  bias.copy_(torch::arange(bias.numel()));
  return tower;
}

v1::Content ContentOf(const TinyBundleOptions& options,
                      const BuiltIndex& index) {
  v1::Content content;
  content.set_items(options.items);
  content.set_users(options.users);
  content.set_dimension(kShape.dimension);
  content.set_metric("inner_product");
  content.set_history_length(kShape.history_length);
  content.set_item_row_width(kShape.item_width);
  content.set_user_row_width(kShape.user_width);
  content.mutable_index()->set_description(index.description);
  content.mutable_index()->set_nprobe(index.effort.nprobe);
  content.mutable_index()->set_k_factor(index.effort.k_factor);
  return content;
}

// To the golden requests, as far as what is sealed answers.
absl::Status AddAnswers(const v1::Manifest& sealed,
                        const TinyBundleOptions& options,
                        BundleWriter& writer) {
  if (options.extra_file == layout::kGoldenAnswers) return absl::OkStatus();
  const auto snapshot = LoadServingSnapshot(writer.staging_folder(), sealed);
  if (!snapshot.ok()) return absl::OkStatus();
  const auto answers = AnswerGolden(**snapshot);
  if (!answers.ok()) return absl::OkStatus();
  google::protobuf::util::JsonPrintOptions as_published;
  as_published.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(*answers, &json,
                                                   as_published)
           .ok()) {
    return absl::InternalError("golden answers do not become JSON");
  }
  return WriteFileAtomically(
      writer.Add(layout::kGoldenAnswers, FileRole::kServed), json);
}

}  // namespace

absl::StatusOr<std::string> PublishTinyBundle(
    const std::string& root, const TinyBundleOptions& options) {
  RETURN_IF_ERROR(CreateFolders(root));
  std::optional<SigningKey> key;
  if (!options.signing_key_file.empty()) {
    ASSIGN_OR_RETURN(key, SigningKey::Read(options.signing_key_file));
  }
  ASSIGN_OR_RETURN(const auto writer,
                   BundleWriter::Create(root, std::move(key)));
  const auto add = [&](const char* name) {
    return writer->Add(name, FileRole::kServed);
  };
  Random random(options.seed);
  const std::vector<float> item_rows =
      RandomRows(options.items + 1, kShape.item_width, random);
  const std::vector<float> user_rows =
      RandomRows(options.users + 1, kShape.user_width, random);
  RETURN_IF_ERROR(WriteFileAtomically(add(layout::kSchema),
                                      Schema(options).SerializeAsString()));
  RETURN_IF_ERROR(
      WriteIds(add(layout::kItemIds), options.prefix, options.items));
  RETURN_IF_ERROR(WriteIds(add(layout::kUserIds), "u", options.users));
  RETURN_IF_ERROR(WriteRows(add(layout::kItemRows), options.items + 1,
                            kShape.item_width, item_rows));
  RETURN_IF_ERROR(WriteRows(add(layout::kUserRows), options.users + 1,
                            kShape.user_width, user_rows));
  RETURN_IF_ERROR(WriteDisplay(add(layout::kItemDisplay), options.items));
  if (options.attributes) {
    RETURN_IF_ERROR(
        WriteAttributes(add(layout::kItemAttributes), options.items));
  }
  RETURN_IF_ERROR(WriteGolden(add(layout::kGoldenRequests), options.prefix));

  const TowerOptions towers = {.layers = {8, kShape.dimension},
                               .seed = options.seed};
  const std::string item_tower = add(layout::kItemTower);
  QueryTowerOf(options, towers).save(add(layout::kQueryTower));
  MakeItemTower(kShape, towers).save(item_tower);
  ASSIGN_OR_RETURN(
      const BuiltIndex index,
      WriteIndex(item_tower, add(layout::kIndex), options.items, item_rows));

  if (!options.extra_file.empty()) add(options.extra_file.c_str());
  if (options.before_seal) options.before_seal(writer->staging_folder());
  v1::Content content = ContentOf(options, index);
  if (options.edit_content) options.edit_content(content);
  ASSIGN_OR_RETURN(const v1::Manifest sealed, writer->Seal(content));
  RETURN_IF_ERROR(AddAnswers(sealed, options, *writer));
  RETURN_IF_ERROR(writer->Seal(std::move(content)).status());
  RETURN_IF_ERROR(writer->Publish(/*keep_versions=*/0));
  return writer->published_version();
}

}  // namespace segue::testing
