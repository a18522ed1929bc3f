#include "core/rows/row_set.h"

#include <roaring/roaring.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace segue {

struct RowSet::Bitmap {
  explicit Bitmap(roaring_bitmap_t* own) : roaring(own) {}
  ~Bitmap() { roaring_bitmap_free(roaring); }
  Bitmap(const Bitmap&) = delete;
  Bitmap& operator=(const Bitmap&) = delete;

  roaring_bitmap_t* const roaring;
};

RowSet::RowSet() : bitmap_(std::make_unique<Bitmap>(roaring_bitmap_create())) {}

RowSet::RowSet(absl::Span<const int32_t> rows) : RowSet() { Add(rows); }

RowSet::RowSet(int32_t begin, int32_t end) : RowSet() {
  if (begin < end) {
    roaring_bitmap_add_range_closed(bitmap_->roaring,
                                    static_cast<uint32_t>(begin),
                                    static_cast<uint32_t>(end - 1));
  }
}

RowSet::RowSet(const RowSet& other)
    : bitmap_(std::make_unique<Bitmap>(
          roaring_bitmap_copy(other.bitmap_->roaring))) {}

RowSet::RowSet(RowSet&& other) noexcept = default;

RowSet& RowSet::operator=(RowSet other) {
  bitmap_.swap(other.bitmap_);
  return *this;
}

RowSet::~RowSet() = default;

int64_t RowSet::size() const {
  return static_cast<int64_t>(roaring_bitmap_get_cardinality(bitmap_->roaring));
}

bool RowSet::Contains(int32_t row) const {
  return row >= 0 &&
         roaring_bitmap_contains(bitmap_->roaring, static_cast<uint32_t>(row));
}

void RowSet::Add(absl::Span<const int32_t> rows) {
  static_assert(sizeof(int32_t) == sizeof(uint32_t));
  roaring_bitmap_add_many(bitmap_->roaring, rows.size(),
                          reinterpret_cast<const uint32_t*>(rows.data()));
}

void RowSet::IntersectWith(const RowSet& other) {
  roaring_bitmap_and_inplace(bitmap_->roaring, other.bitmap_->roaring);
}

void RowSet::UniteWith(const RowSet& other) {
  roaring_bitmap_or_inplace(bitmap_->roaring, other.bitmap_->roaring);
}

void RowSet::Subtract(const RowSet& other) {
  roaring_bitmap_andnot_inplace(bitmap_->roaring, other.bitmap_->roaring);
}

std::vector<int32_t> RowSet::ToRows() const {
  std::vector<int32_t> rows(size());
  roaring_bitmap_to_uint32_array(bitmap_->roaring,
                                 reinterpret_cast<uint32_t*>(rows.data()));
  return rows;
}

void RowSet::Shrink() {
  roaring_bitmap_run_optimize(bitmap_->roaring);
  roaring_bitmap_shrink_to_fit(bitmap_->roaring);
}

uint64_t RowSet::bytes() const {
  return roaring_bitmap_size_in_bytes(bitmap_->roaring);
}

std::string RowSet::Serialize() const {
  std::string bytes(roaring_bitmap_portable_size_in_bytes(bitmap_->roaring),
                    '\0');
  roaring_bitmap_portable_serialize(bitmap_->roaring, bytes.data());
  return bytes;
}

absl::StatusOr<RowSet> RowSet::Parse(absl::string_view bytes, int64_t rows) {
  roaring_bitmap_t* const parsed =
      roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
  if (parsed == nullptr) {
    return absl::DataLossError("is no Roaring bitmap in the portable format");
  }
  RowSet set;
  set.bitmap_ = std::make_unique<Bitmap>(parsed);
  if (set.size() > 0 && roaring_bitmap_maximum(parsed) >= rows) {
    return absl::DataLossError(absl::StrCat(
        "has row ", roaring_bitmap_maximum(parsed), ", of ", rows));
  }
  return set;
}

}  // namespace segue
