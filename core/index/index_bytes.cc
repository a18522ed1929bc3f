#include "core/index/index_bytes.h"

#include <algorithm>

#include "core/base/status_macros.h"

namespace segue {
namespace {

// 2^40: far beyond what vectors, centroids or scales of them are; products of
// two and sums of these are far below what a float holds. As the bits of a
// float: without their signs these compare as their numbers do, infinities and
// NaN above all.
constexpr uint32_t kLargestFloat = (127 + 40) << 23;
constexpr uint32_t kFloatSign = uint32_t{1} << 31;
constexpr uint16_t kHalfExponent = 0x7c00;
constexpr uint64_t kBlock = 1024;

// Whether `wrong` of some element; in blocks, so that it is done many at once.
template <typename T, typename Fn>
bool AnyIs(absl::string_view bytes, Fn wrong) {
  T block[kBlock];
  while (!bytes.empty()) {
    const uint64_t count = std::min(kBlock, bytes.size() / sizeof(T));
    std::memcpy(block, bytes.data(), count * sizeof(T));
    bool found = false;
    for (uint64_t i = 0; i < count; ++i) found |= wrong(block[i]);
    if (found) return true;
    bytes.remove_prefix(count * sizeof(T));
  }
  return false;
}

}  // namespace

absl::Status IndexBytes::TakeBool(bool& value) {
  uint8_t byte = 0;
  RETURN_IF_ERROR(Take(byte));
  value = byte != 0;
  return Check(byte <= 1, "a flag is ", byte, ", neither 0 nor 1");
}

absl::Status IndexBytes::TakeBytes(uint64_t count, uint64_t width,
                                   absl::string_view& taken) {
  RETURN_IF_ERROR(Check(count <= left() / width, count, " elements of ", width,
                        " bytes, ", left(), " bytes are left"));
  taken = bytes_.substr(at_, count * width);
  at_ += count * width;
  return absl::OkStatus();
}

absl::Status IndexBytes::CheckFloats(absl::string_view floats) const {
  return Check(!AnyIs<uint32_t>(floats,
                                [](uint32_t bits) {
                                  return (bits & ~kFloatSign) > kLargestFloat;
                                }),
               "a number before it is not finite, or beyond 2^40");
}

absl::Status IndexBytes::CheckHalves(absl::string_view halves) const {
  return Check(!AnyIs<uint16_t>(halves,
                                [](uint16_t bits) {
                                  return (bits & kHalfExponent) ==
                                         kHalfExponent;
                                }),
               "a number before it is not finite");
}

}  // namespace segue
