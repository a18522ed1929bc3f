#include "core/rows/row_set.h"

#include <roaring/roaring.h>

#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace segue {
namespace {

// The portable format, of the RoaringFormatSpec of the Roaring project. Read
// here: CRoaring believes what it reads, and is led out of its memory by parts
// that contradict themselves.
constexpr uint32_t kCookie = 12346;
constexpr uint32_t kCookieOfRuns = 12347;
constexpr uint32_t kMaxContainers = 1 << 16;
constexpr uint32_t kFewestForOffsets = 4;
constexpr uint32_t kMostInArray = 4096;
constexpr uint32_t kBitmapBytes = 8192;

// The rows of [first, first + 2^16) that are in a set.
struct Container {
  uint32_t first = 0;
  uint32_t rows = 0;
  bool has_runs = false;
};

// Takes values off the front of the bytes, as long as there are any.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  bool Take(T& value) {
    absl::string_view taken;
    if (!TakeBytes(sizeof(T), taken)) return false;
    std::memcpy(&value, taken.data(), sizeof(T));
    return true;
  }
  bool TakeBytes(uint64_t count, absl::string_view& taken) {
    if (count > bytes_.size()) return false;
    taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return true;
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  absl::string_view bytes_;
};

bool TakeContainers(Reader& reader, std::vector<Container>& containers) {
  uint32_t cookie = 0, count = 0;
  if (!reader.Take(cookie)) return false;
  const bool has_runs = (cookie & 0xffff) == kCookieOfRuns;
  absl::string_view flags, offsets;
  if (has_runs) {
    count = (cookie >> 16) + 1;
    if (!reader.TakeBytes((count + 7) / 8, flags)) return false;
  } else if (cookie != kCookie || !reader.Take(count) ||
             count > kMaxContainers) {
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t key = 0, more = 0;
    if (!reader.Take(key) || !reader.Take(more)) return false;
    const bool runs = has_runs && ((flags[i / 8] >> (i % 8)) & 1) != 0;
    containers.push_back({uint32_t{key} << 16, uint32_t{more} + 1, runs});
    if (i > 0 && containers[i].first <= containers[i - 1].first) return false;
  }
  const bool has_offsets = !has_runs || count >= kFewestForOffsets;
  return reader.TakeBytes(has_offsets ? uint64_t{count} * 4 : 0, offsets);
}

bool AddRuns(uint32_t first, Reader& reader, roaring_bitmap_t& roaring) {
  uint16_t count = 0;
  if (!reader.Take(count)) return false;
  for (uint16_t i = 0; i < count; ++i) {
    uint16_t begin = 0, more = 0;
    if (!reader.Take(begin) || !reader.Take(more)) return false;
    if (uint32_t{begin} + more > 0xffff) return false;
    roaring_bitmap_add_range_closed(&roaring, first + begin,
                                    first + begin + more);
  }
  return true;
}

bool AddArray(const Container& container, Reader& reader,
              roaring_bitmap_t& roaring) {
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < container.rows; ++i) {
    uint16_t low = 0;
    if (!reader.Take(low)) return false;
    rows.push_back(container.first + low);
  }
  roaring_bitmap_add_many(&roaring, rows.size(), rows.data());
  return true;
}

bool AddBits(uint32_t first, Reader& reader, roaring_bitmap_t& roaring) {
  absl::string_view bytes;
  if (!reader.TakeBytes(kBitmapBytes, bytes)) return false;
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < 8 * kBitmapBytes; ++i) {
    if (((bytes[i / 8] >> (i % 8)) & 1) != 0) rows.push_back(first + i);
  }
  roaring_bitmap_add_many(&roaring, rows.size(), rows.data());
  return true;
}

// False where the bytes are no such set, to their end.
bool AddPortable(absl::string_view bytes, roaring_bitmap_t& roaring) {
  Reader reader(bytes);
  std::vector<Container> containers;
  if (!TakeContainers(reader, containers)) return false;
  uint64_t said = 0;
  for (const Container& container : containers) {
    const bool added = container.has_runs
                           ? AddRuns(container.first, reader, roaring)
                       : container.rows <= kMostInArray
                           ? AddArray(container, reader, roaring)
                           : AddBits(container.first, reader, roaring);
    if (!added) return false;
    said += container.rows;
    if (roaring_bitmap_get_cardinality(&roaring) != said) return false;
  }
  return reader.at_end();
}

}  // namespace

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
  RowSet set;
  roaring_bitmap_t* const roaring = set.bitmap_->roaring;
  if (!AddPortable(bytes, *roaring)) {
    return absl::DataLossError("is no Roaring bitmap in the portable format");
  }
  if (set.size() > 0 && roaring_bitmap_maximum(roaring) >= rows) {
    return absl::DataLossError(absl::StrCat(
        "has row ", roaring_bitmap_maximum(roaring), ", of ", rows));
  }
  return set;
}

}  // namespace segue
