// Takes an index's file apart into the values that FAISS writes. Private to
// core/index.
#ifndef SEGUE_CORE_INDEX_INDEX_BYTES_H_
#define SEGUE_CORE_INDEX_INDEX_BYTES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace segue {

// Values of one type in a file, where they need not be aligned. Borrows them.
template <typename T>
class Packed {
 public:
  explicit Packed(absl::string_view bytes = {}) : bytes_(bytes) {}
  uint64_t size() const { return bytes_.size() / sizeof(T); }
  T operator[](uint64_t i) const {
    T value;
    std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof(T));
    return value;
  }
  absl::string_view bytes() const { return bytes_; }

 private:
  absl::string_view bytes_;
};

// A place in the bytes, which it borrows, that moves on with what is taken.
// Errors name the file and, but for Refuse(), the place.
class IndexBytes {
 public:
  IndexBytes(absl::string_view bytes, const std::string& path)
      : bytes_(bytes), path_(path) {}

  uint64_t left() const { return bytes_.size() - at_; }

  // DataLoss where it does not hold. Naming what is wrong costs nothing where
  // nothing is.
  template <typename... Why>
  absl::Status Check(bool holds, const Why&... why) const {
    if (holds) return absl::OkStatus();
    return absl::DataLossError(
        absl::StrCat(path_, ", byte ", at_, ": ", why...));
  }

  // FailedPrecondition: an index, of a kind that is not taken.
  template <typename... Why>
  absl::Status Refuse(const Why&... why) const {
    return absl::FailedPreconditionError(absl::StrCat(path_, ": ", why...));
  }

  // What follows: DataLoss where bytes or numbers are not as said.
  template <typename T>
  absl::Status Take(T& value) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    absl::string_view taken;
    if (absl::Status status = TakeBytes(1, sizeof(T), taken); !status.ok()) {
      return status;
    }
    std::memcpy(&value, taken.data(), sizeof(T));
    return absl::OkStatus();
  }

  // As a byte, which must be 0 or 1.
  absl::Status TakeBool(bool& value);

  // `count` elements of `width` bytes.
  absl::Status TakeBytes(uint64_t count, uint64_t width,
                         absl::string_view& taken);

  // A vector as FAISS writes it: how many elements, then these.
  template <typename T>
  absl::Status TakeVector(Packed<T>& elements) {
    uint64_t count = 0;
    absl::string_view taken;
    absl::Status status = Take(count);
    if (status.ok()) status = TakeBytes(count, sizeof(T), taken);
    elements = Packed<T>(taken);
    return status;
  }

  // The same, where there must be so many.
  template <typename T>
  absl::Status TakeVector(uint64_t expected, absl::string_view what,
                          Packed<T>& elements) {
    absl::Status status = TakeVector(elements);
    if (!status.ok()) return status;
    return Check(elements.size() == expected, elements.size(), " ", what, ", ",
                 expected, " are expected");
  }

  // Numbers that are finite, and no larger than sums of their products with
  // others may be.
  absl::Status CheckFloats(absl::string_view floats) const;
  absl::Status CheckHalves(absl::string_view halves) const;

 private:
  const absl::string_view bytes_;
  const std::string& path_;
  uint64_t at_ = 0;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_INDEX_BYTES_H_
