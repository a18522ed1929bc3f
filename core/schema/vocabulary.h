// Ids as they come from outside, and their rows: 0 .. size() - 1 in the order
// of their adding, then the rows of ids that are not known.
#ifndef SEGUE_CORE_SCHEMA_VOCABULARY_H_
#define SEGUE_CORE_SCHEMA_VOCABULARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace segue {

// Ids are any bytes of at most 2^16 - 1; a numeric id is its decimal form. Ids
// lie back to back in one buffer, beside an open-addressing table of rows: an
// id costs its bytes and about 16 more.
//
// Movable. Add() from one thread; const members from any.
class Vocabulary {
 public:
  static constexpr size_t kMaxIdBytes = 65535;

  // `unknown_buckets` >= 1: rows that ids not in the vocabulary share.
  explicit Vocabulary(int32_t unknown_buckets = 1)
      : unknown_buckets_(unknown_buckets) {}

  // The id's row, a new one if it is new. REQUIRES: at most kMaxIdBytes.
  int32_t Add(absl::string_view id);
  std::optional<int32_t> Find(absl::string_view id) const;
  // Find(), or else the unknown row that the id hashes to.
  int32_t FindOrUnknown(absl::string_view id) const;
  // The unknown row that the id hashes to, known or not.
  int32_t UnknownRowOf(absl::string_view id) const;
  // REQUIRES: 0 <= row < size().
  absl::string_view id(int32_t row) const;

  // Known ids.
  int32_t size() const { return static_cast<int32_t>(ends_.size()); }
  // First of the unknown rows.
  int32_t unknown_row() const { return size(); }
  int32_t unknown_buckets() const { return unknown_buckets_; }
  // Known and unknown: how many rows a table over this vocabulary has.
  int32_t rows() const { return size() + unknown_buckets_; }

  // The bytes of a vocabulary file (core/bundle/FORMAT.md) and back. DataLoss
  // if they are not such bytes: every length is checked, duplicates refused.
  std::string Serialize() const;
  static absl::StatusOr<Vocabulary> Parse(absl::string_view bytes,
                                          absl::string_view name);

 private:
  void Grow();
  size_t Slot(absl::string_view id) const;

  int32_t unknown_buckets_;
  std::string ids_;
  std::vector<uint64_t> ends_;  // [size] end of each id within ids_
  std::vector<int32_t> table_;  // row + 1, 0: free; a power of two of slots
};

}  // namespace segue

#endif  // SEGUE_CORE_SCHEMA_VOCABULARY_H_
