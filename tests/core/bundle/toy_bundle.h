// A bundle whose files are short texts: enough for whoever only knows files and
// hashes.
#ifndef SEGUE_TESTS_CORE_BUNDLE_TOY_BUNDLE_H_
#define SEGUE_TESTS_CORE_BUNDLE_TOY_BUNDLE_H_

#include <optional>
#include <string>
#include <utility>

#include "core/base/file.h"
#include "core/bundle/bundle_writer.h"
#include "core/bundle/layout.h"
#include "tests/testing/status_matchers.h"

namespace segue::testing {

// What the server loads.
inline const std::string kToyServedFiles[] = {
    layout::kSchema,        layout::kQueryTower, layout::kItemTower,
    layout::kItemIds,       layout::kItemRows,   layout::kItemDisplay,
    layout::kUserIds,       layout::kUserRows,   layout::kIndex,
    layout::kGoldenRequests};

inline v1::Content ToyContent() {
  v1::Content content;
  content.set_items(3);
  content.set_dimension(2);
  content.set_metric("inner_product");
  content.mutable_index()->set_description("Flat");
  for (const char* library : {"arrow", "faiss", "libtorch", "protobuf"}) {
    (*content.mutable_library_versions())[library] = "1.7.3";
  }
  return content;
}

// `salt` goes into every file, so that another one makes another bundle.
inline void StageToyFiles(BundleWriter& writer, const std::string& salt) {
  const auto add = [&](const std::string& name, FileRole role) {
    ASSERT_THAT(
        WriteFileAtomically(writer.Add(name, role), name + " of " + salt),
        IsOk());
  };
  for (const std::string& name : kToyServedFiles) add(name, FileRole::kServed);
  add(layout::kTrainerConfig, FileRole::kAuxiliary);
  add(layout::kReport, FileRole::kMeasured);
}

// The published version, signed if there is a key.
inline std::string PublishToyBundle(const std::string& root,
                                    const std::string& salt,
                                    int keep_versions = 0,
                                    const std::string& key_file = "") {
  std::optional<SigningKey> key;
  if (!key_file.empty()) key = SigningKey::Read(key_file).value();
  auto writer = BundleWriter::Create(root, std::move(key));
  EXPECT_THAT(writer, IsOk());
  StageToyFiles(**writer, salt);
  EXPECT_THAT((*writer)->Seal(ToyContent()), IsOk());
  EXPECT_THAT((*writer)->Publish(keep_versions), IsOk());
  return (*writer)->published_version();
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_CORE_BUNDLE_TOY_BUNDLE_H_
