// Every file name of a bundle and of the folder that holds bundles.
// FORMAT.md draws what is in the files.
#ifndef SEGUE_CORE_BUNDLE_LAYOUT_H_
#define SEGUE_CORE_BUNDLE_LAYOUT_H_

#include <string>

namespace segue::layout {

// 2: items.removed, which a reader of 1 would answer from all the same. 4:
// towers with operators that a reader of 2 does not know (no 3: one flipped bit
// would make it 2).
inline constexpr int kFormatVersion = 4;

// In the bundle root: the name of the live version, and a newline.
inline constexpr char kCurrent[] = "CURRENT";
// In the bundle root: locked (flock) by the one publisher; empty, stays.
inline constexpr char kLock[] = ".lock";
// Staging folders begin so; they are never versions.
inline constexpr char kStagingPrefix[] = ".staging-";

// In a version's folder.
inline constexpr char kManifest[] = "MANIFEST.json";
// Beside it, of a bundle that was signed: its Ed25519 signature, 64 bytes.
inline constexpr char kSignature[] = "MANIFEST.sig";
inline constexpr char kSchema[] = "schema.pb";
inline constexpr char kQueryTower[] = "query_tower.pt";
inline constexpr char kItemTower[] = "item_tower.pt";
inline constexpr char kItemIds[] = "items.vocab";
inline constexpr char kItemRows[] = "items.rows";
inline constexpr char kItemDisplay[] = "items.text";
// Where the bundle has attributes (v1.Attributes).
inline constexpr char kItemAttributes[] = "items.attributes";
inline constexpr char kUserIds[] = "users.vocab";
inline constexpr char kUserRows[] = "users.rows";
inline constexpr char kIndex[] = "index.faiss";
// Of an index that has to be searched harder for more (v1.Efforts).
inline constexpr char kEfforts[] = "index.efforts";
// Where items were removed: rows that are never answered.
inline constexpr char kRemovedItems[] = "items.removed";
// Sample requests (v1.BatchRetrieveRequest, JSON): the server warms up on them.
inline constexpr char kGoldenRequests[] = "golden_requests.json";
// And their exact answers (v1.BatchRetrieveResponse, JSON), held against its
// own.
inline constexpr char kGoldenAnswers[] = "golden_answers.json";
// For people and the trainer; the server does not open them.
// Vectors of held-out queries, [Q, d]: what an index is tuned on.
inline constexpr char kTuningQueries[] = "tuning_queries.rows";
inline constexpr char kTrainerConfig[] = "trainer_config.textproto";
// The values of the i-th item feature and their embeddings.
inline std::string ItemFeatureIds(int i) {
  return "item_feature_" + std::to_string(i) + ".vocab";
}
inline std::string ItemFeatureRows(int i) {
  return "item_feature_" + std::to_string(i) + ".rows";
}
inline constexpr char kReport[] = "report.json";

}  // namespace segue::layout

#endif  // SEGUE_CORE_BUNDLE_LAYOUT_H_
