#include "core/bundle/manifest.h"

#include <functional>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/bundle/layout.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

void AddFile(v1::Content& content, const std::string& name) {
  v1::File& file = *content.add_files();
  file.set_name(name);
  file.set_bytes(10);
  file.set_sha256(Sha256::OfString(name));
  file.set_served(true);
}

void Sign(v1::Manifest& manifest) {
  v1::Content& content = *manifest.mutable_content();
  content.set_tower_hash(TowerHash(content));
  content.mutable_index()->set_tower_hash(content.tower_hash());
  manifest.set_content_hash(ContentHash(content));
  manifest.set_version("20260131T235959Z-" +
                       manifest.content_hash().substr(0, 12));
}

v1::Manifest Valid() {
  v1::Manifest manifest;
  manifest.set_format_version(layout::kFormatVersion);
  v1::Content& content = *manifest.mutable_content();
  AddFile(content, "index.faiss");
  AddFile(content, "query_tower.pt");
  content.set_items(int64_t{1} << 53 | 1);  // more than a double holds
  content.set_metric("inner_product");
  (*content.mutable_library_versions())["torch"] = "1.13.1";
  (*content.mutable_library_versions())["faiss"] = "1.7.3 AVX2";
  Sign(manifest);
  manifest.set_created_at("2026-01-31T23:59:59Z");
  return manifest;
}

TEST(ManifestTest, ParsesWhatItFormats) {
  const v1::Manifest manifest = Valid();
  const auto parsed = ParseManifest(FormatManifest(manifest), "M");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->DebugString(), manifest.DebugString());
}

TEST(ManifestTest, TheContentHashIsOverTheDocumentedText) {
  v1::Content content;
  AddFile(content, "a");
  content.set_items(3);
  content.set_users(2);
  content.set_dimension(4);
  content.set_metric("m");
  content.set_history_length(5);
  content.set_item_row_width(6);
  content.set_user_row_width(7);
  content.set_tower_hash("t");
  content.mutable_index()->set_description("Flat");
  content.mutable_index()->set_nprobe(8);
  content.mutable_index()->set_k_factor(9);
  (*content.mutable_library_versions())["z"] = "1 2";
  (*content.mutable_library_versions())["b"] = "";
  const std::string text = absl::StrCat(
      "segue-content-1\n", "file 1:a 10 64:", Sha256::OfString("a"), " 1\n",
      "items 3\nusers 2\ndimension 4\nmetric 1:m\nhistory_length 5\n",
      "item_row_width 6\nuser_row_width 7\ntower_hash 1:t\n",
      "index.description 4:Flat\nindex.nprobe 8\nindex.k_factor 9\n",
      "index.tower_hash 0:\nlibrary 1:b 0:\nlibrary 1:z 3:1 2\n");
  EXPECT_EQ(ContentHash(content), Sha256::OfString(text));
}

TEST(ManifestTest, TheTowerHashIsOverTowersAndRowsOnly) {
  v1::Content content;
  AddFile(content, "index.faiss");
  AddFile(content, "item_tower.pt");
  AddFile(content, "items.rows");
  AddFile(content, "query_tower.pt");
  const auto line = [](const std::string& name) {
    return absl::StrCat(name, " ", Sha256::OfString(name), "\n");
  };
  EXPECT_EQ(TowerHash(content),
            Sha256::OfString(
                absl::StrCat("segue-towers-1\n", line("query_tower.pt"),
                             line("item_tower.pt"), line("items.rows"))));
}

// Each field of the content changes its hash, so that none can be edited.
TEST(ManifestTest, EveryFieldOfTheContentIsHashed) {
  const v1::Content content = Valid().content();
  const std::string hash = ContentHash(content);
  const auto changed = [&](const std::function<void(v1::Content&)>& change) {
    v1::Content other = content;
    change(other);
    return ContentHash(other) != hash;
  };
  using C = v1::Content;
  EXPECT_TRUE(changed([](C& c) { c.set_items(1); }));
  EXPECT_TRUE(changed([](C& c) { c.set_users(1); }));
  EXPECT_TRUE(changed([](C& c) { c.set_dimension(1); }));
  EXPECT_TRUE(changed([](C& c) { c.set_metric("l2"); }));
  EXPECT_TRUE(changed([](C& c) { c.set_history_length(1); }));
  EXPECT_TRUE(changed([](C& c) { c.set_item_row_width(1); }));
  EXPECT_TRUE(changed([](C& c) { c.set_user_row_width(1); }));
  EXPECT_TRUE(changed([](C& c) { c.set_tower_hash("x"); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_index()->set_nprobe(1); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_index()->set_k_factor(1); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_index()->set_tower_hash("x"); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_index()->set_description("x"); }));
  EXPECT_TRUE(
      changed([](C& c) { (*c.mutable_library_versions())["torch"] = "2"; }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_files(0)->set_served(false); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_files(0)->set_bytes(1); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_files(0)->set_name("x"); }));
  EXPECT_TRUE(changed([](C& c) { c.mutable_files(0)->set_sha256("x"); }));
}

struct Tampering {
  std::string name;
  std::function<void(v1::Manifest&)> change;
  bool sign;  // as someone would who can compute hashes
  std::string message;
};

void PrintTo(const Tampering& test, std::ostream* out) { *out << test.name; }

class TamperedManifestTest : public ::testing::TestWithParam<Tampering> {};

TEST_P(TamperedManifestTest, IsDataLoss) {
  v1::Manifest manifest = Valid();
  GetParam().change(manifest);
  if (GetParam().sign) Sign(manifest);
  EXPECT_THAT(ParseManifest(FormatManifest(manifest), "M.json"),
              StatusIs(absl::StatusCode::kDataLoss,
                       ::testing::AllOf(HasSubstr("M.json"),
                                        HasSubstr(GetParam().message))));
}

v1::File* FirstFile(v1::Manifest& manifest) {
  return manifest.mutable_content()->mutable_files(0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TamperedManifestTest,
    ::testing::Values(
        Tampering{"CountChanged",
                  [](v1::Manifest& m) { m.mutable_content()->set_items(4); },
                  false, "content_hash"},
        Tampering{"HashCleared",
                  [](v1::Manifest& m) { m.clear_content_hash(); }, false,
                  "content_hash"},
        Tampering{"TowersOfAnotherRun",
                  [](v1::Manifest& m) {
                    m.mutable_content()->mutable_index()->set_tower_hash("x");
                    m.set_content_hash(ContentHash(m.content()));
                  },
                  false, "content.index.tower_hash"},
        Tampering{"FileAbove",
                  [](v1::Manifest& m) { FirstFile(m)->set_name("../x"); }, true,
                  "name is not allowed"},
        Tampering{"FileInAFolder",
                  [](v1::Manifest& m) { FirstFile(m)->set_name("a/b"); }, true,
                  "name is not allowed"},
        Tampering{
            "ListsItself",
            [](v1::Manifest& m) { FirstFile(m)->set_name("MANIFEST.json"); },
            true, "cannot list itself"},
        Tampering{
            "ListsItsSignature",
            [](v1::Manifest& m) { FirstFile(m)->set_name("MANIFEST.sig"); },
            true, "cannot list itself"},
        Tampering{"FileTwice",
                  [](v1::Manifest& m) {
                    *m.add_measured_files() = m.content().files(0);
                  },
                  true, "twice"},
        Tampering{"NotSorted",
                  [](v1::Manifest& m) { FirstFile(m)->set_name("z"); }, true,
                  "not sorted"},
        Tampering{"NegativeSize",
                  [](v1::Manifest& m) { FirstFile(m)->set_bytes(-1); }, true,
                  "size is negative"},
        Tampering{"NoHash",
                  [](v1::Manifest& m) { FirstFile(m)->set_sha256("12"); }, true,
                  "no SHA-256"},
        Tampering{"TooManyFiles",
                  [](v1::Manifest& m) {
                    for (int i = 0; i < kMaxBundleFiles; ++i) {
                      AddFile(*m.mutable_content(), absl::StrCat("z", i));
                    }
                  },
                  true, "258 files"},
        Tampering{"VersionThatIsAPath",
                  [](v1::Manifest& m) { m.set_version("../../etc"); }, false,
                  "version"},
        Tampering{"VersionOfAnotherHash",
                  [](v1::Manifest& m) {
                    m.set_version("20260131T235959Z-000000000000");
                  },
                  false, "version"},
        Tampering{
            "TimeOfAnotherVersion",
            [](v1::Manifest& m) { m.set_created_at("2026-01-31T23:59:58Z"); },
            true, "created_at"},
        Tampering{"NoFormat", [](v1::Manifest& m) { m.clear_format_version(); },
                  false, "no format"}),
    [](const auto& info) { return info.param.name; });

TEST(ManifestTest, ANewerFormatIsRefusedForItsVersionNotItsFields) {
  EXPECT_THAT(
      ParseManifest(R"({"format_version": 5, "signature": "x"})", "M"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("format 5")));
}

TEST(ManifestTest, FieldsThatThisFormatLacksAreRefused) {
  std::string json = FormatManifest(Valid());
  json.insert(1, "\"extra\": 1,");
  EXPECT_THAT(ParseManifest(json, "M"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("extra")));
}

TEST(ManifestTest, WhiteSpaceThatIsNoneInJsonIsRefused) {
  for (const char space : {'\v', '\f'}) {
    std::string json = FormatManifest(Valid());
    json[json.find('\n')] = space;
    EXPECT_THAT(ParseManifest(json, "M"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("M ")));
  }
}

TEST(ManifestTest, EveryTruncationIsRefused) {
  const std::string json = FormatManifest(Valid());
  const size_t end = json.rfind('}');
  for (size_t size = 0; size <= end; size += 7) {
    EXPECT_THAT(ParseManifest(json.substr(0, size), "M"),
                StatusIs(absl::StatusCode::kDataLoss, ::testing::_))
        << size;
  }
}

}  // namespace
}  // namespace segue
