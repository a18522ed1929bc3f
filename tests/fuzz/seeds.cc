// Writes valid inputs of every fuzzer, as the project's own code makes them:
//
//   fuzz_seeds FOLDER       FOLDER/<target>/<name>, the folders are there
//
// What they grew into lies in tests/fuzz/corpus; this is for a format that
// changes.
#include <google/protobuf/text_format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/bundle/layout.h"
#include "core/bundle/manifest.h"
#include "core/index_build/index_trainer.h"
#include "core/rows/row_set.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/retrieval.pb.h"

namespace segue::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

constexpr int kDepth = 6;
constexpr int kRows = 40;
constexpr int kDimension = 4;

void Write(const std::string& path, const std::string& bytes) {
  const absl::Status written = WriteFileAtomically(path, bytes);
  if (written.ok()) return;
  std::fprintf(stderr, "%s\n", written.ToString().c_str());
  std::exit(1);
}

template <typename T>
T FromText(const std::string& text) {
  T message;
  if (!TextFormat::ParseFromString(text, &message)) std::exit(1);
  return message;
}

// The field in text, with its default or else something of its type.
std::string FieldText(const FieldDescriptor& field, int depth);

std::string MessageText(const google::protobuf::Descriptor& type, int depth) {
  std::string text;
  std::map<const void*, int> taken;  // one of each oneof
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const void* oneof = field.real_containing_oneof();
    if (oneof != nullptr && taken[oneof]++ > 0) continue;
    absl::StrAppend(&text, FieldText(field, depth));
  }
  return text;
}

std::string FieldText(const FieldDescriptor& field, int depth) {
  const auto is = [&](const auto& value) {
    return absl::StrCat(field.name(), ": ", value, "\n");
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth == 0) return "";
      return absl::StrCat(field.name(), " {\n",
                          MessageText(*field.message_type(), depth - 1), "}\n");
    case FieldDescriptor::CPPTYPE_STRING:
      return is(absl::StrCat("\"", field.default_value_string(), "\""));
    case FieldDescriptor::CPPTYPE_ENUM:
      return is(field.default_value_enum()->name());
    case FieldDescriptor::CPPTYPE_BOOL:
      return is(field.default_value_bool() ? "true" : "false");
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return is(field.default_value_double());
    default:
      return is("1");
  }
}

void WriteRequests(const std::string& folder) {
  const auto filtered = FromText<v1::RetrieveRequest>(R"(
    user_id: "u"
    history: [ "a", "b" ]
    history_times: [ 5, 7 ]
    top_k: 10
    bundle_version: "20260131T235959Z-0123456789ab"
    target_overlap: 0.9
    diversity {
      caps { attribute: "genre" at_most: 2 }
      mmr: 0.5
    }
    user_features { name: "country" category: "x" }
    request_features { name: "hour" number: 3 }
    filter {
      all_of {
        filters { one_of { attribute: "genre" values: "drama" } }
        filters { range { attribute: "year" at_least: 1985 at_most: 2005 } }
        filters {
          any_of {
            filters { items { item_ids: [ "a", "e" ] } }
            filters { none_of {} }
          }
        }
      }
    })");
  v1::BatchRetrieveRequest batch;
  *batch.add_requests() = filtered;
  *batch.add_requests() = FromText<v1::RetrieveRequest>(
      R"(seed_item: "a"
           effort { nprobe: 2 k_factor: 3 }
           bundle_version: "20260131T235959Z-0123456789ab")");
  v1::SimilarItemsRequest similar;
  similar.set_item_id("a");
  *similar.mutable_filter() = filtered.filter();
  v1::DescribeItemsRequest describe;
  describe.add_item_ids("a");
  Write(folder + "/filtered", "r" + filtered.SerializeAsString());
  Write(folder + "/batch", "b" + batch.SerializeAsString());
  Write(folder + "/similar", "s" + similar.SerializeAsString());
  Write(folder + "/describe", "d" + describe.SerializeAsString());
}

void WriteManifest(const std::string& folder) {
  auto manifest = FromText<v1::Manifest>(
      absl::StrCat("format_version: ", layout::kFormatVersion, R"(
        content {
          items: 3
          users: 2
          dimension: 2
          metric: "inner_product"
          history_length: 4
          item_row_width: 3
          user_row_width: 1
          index { description: "Flat" nprobe: 1 k_factor: 1 }
          library_versions { key: "faiss" value: "1.7.3 AVX2" }
        }
        created_at: "2026-01-31T23:59:59Z")"));
  v1::Content& content = *manifest.mutable_content();
  for (const char* name : {layout::kIndex, layout::kQueryTower}) {
    v1::File& file = *content.add_files();
    file.set_name(name);
    file.set_bytes(5);
    file.set_sha256(std::string(64, 'a'));
    file.set_served(true);
  }
  *manifest.add_measured_files() = content.files(0);
  manifest.mutable_measured_files(0)->set_name(layout::kReport);
  content.set_tower_hash(TowerHash(content));
  content.mutable_index()->set_tower_hash(content.tower_hash());
  manifest.set_content_hash(ContentHash(content));
  manifest.set_version("20260131T235959Z-" +
                       manifest.content_hash().substr(0, 12));
  Write(folder + "/manifest", FormatManifest(manifest));
  Write(folder + "/current", manifest.version() + "\n");
}

void WriteIndexes(const std::string& folder) {
  std::mt19937 random(3);
  std::vector<float> vectors(kRows * kDimension);
  for (float& x : vectors) x = static_cast<float>(random() % 2001) / 1000 - 1;
  for (const char* factory :
       {"Flat", "SQ8", "SQ6", "SQ4", "SQfp16", "HNSW4,Flat", "HNSW4_SQ8",
        "IVF2,Flat", "IVF2,SQ8", "IVF2,PQ2x4", "PCA3,IVF2,Flat",
        "IVF2_HNSW4,PQ4x4fs,Refine(SQ8)", "IVF2,PQ2x4fsr,RFlat",
        "PQ2x4fs,Refine(SQ4)"}) {
    const auto made =
        MakeIndexFile({.dimension = kDimension, .vectors = vectors}, factory,
                      absl::StrCat(folder, "/", factory));
    if (!made.ok()) {
      std::fprintf(stderr, "%s\n", made.status().ToString().c_str());
      std::exit(1);
    }
  }
}

void WriteConfigs(const std::string& folder) {
  Write(folder + "/server",
        absl::StrCat("s", MessageText(*v1::ServerConfig::descriptor(), kDepth),
                     "\n--set\nbundle_root=x\nmax_top_k=7\n"));
  Write(folder + "/trainer",
        absl::StrCat("t", MessageText(*v1::TrainerConfig::descriptor(), kDepth),
                     "\n--set\nevents.path=x\nitems.features[+].name=y\n"
                     "items.features[0].name=z\n"));
}

void WriteState(const std::string& folder) {
  Write(folder + "/state",
        R"({"pinned_version": "20260131T235959Z-0123456789ab",
 "denied_versions": ["20260130T235959Z-0123456789ab"],
 "highest_version": "20260131T235959Z-0123456789ab"})");
}

void WriteTables(const std::string& folder) {
  Vocabulary vocabulary(2);
  for (const char* id : {"a", "bc", ""}) vocabulary.Add(id);
  Write(folder + "/vocabulary", "v" + vocabulary.Serialize());
  Write(folder + "/range", "r" + RowSet(3, 90).Serialize());
  const std::vector<int32_t> rows = {1, 5, 6, 70};
  Write(folder + "/rows", "r" + RowSet(rows).Serialize());
  std::string numbers;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&numbers, i > 0 ? "," : "", i);
  const auto attributes = FromText<v1::Attributes>(absl::StrCat(
      R"(           columns {
             name: "genre"
             kind: CATEGORICAL
             values: [ "comedy", "drama" ]
             begins: [ 0, 3, 5 ]
             rows: [ 0, 1, 4, 1, 3 ]
           }
           columns { name: "year" kind: NUMERIC numbers: [)",
      numbers, "] }"));
  Write(folder + "/attributes", "a" + attributes.SerializeAsString());
  const auto efforts = FromText<v1::Efforts>(
      R"(points { k: 10 nprobe: 1 k_factor: 2 overlap: 0.5 cost: 10 }
           points { k: 10 nprobe: 4 k_factor: 2 overlap: 0.9 cost: 20 }
           points { k: 100 nprobe: 8 k_factor: 4 overlap: 0.98 cost: 90 }
           target_overlap: 0.97)");
  Write(folder + "/efforts", "e" + efforts.SerializeAsString());
}

}  // namespace
}  // namespace segue::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  segue::fuzz::WriteRequests(folder + "/request");
  segue::fuzz::WriteManifest(folder + "/manifest");
  segue::fuzz::WriteIndexes(folder + "/index");
  segue::fuzz::WriteConfigs(folder + "/config");
  segue::fuzz::WriteState(folder + "/state");
  segue::fuzz::WriteTables(folder + "/tables");
  return 0;
}
