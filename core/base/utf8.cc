#include "core/base/utf8.h"

#include <cstddef>
#include <cstdint>

namespace segue {
namespace {

// Bytes of the sequence that begins with `lead`, and the range that its second
// byte must lie in (Unicode 15, table 3-7). 0: no sequence begins so.
struct Sequence {
  size_t bytes;
  uint8_t low = 0x80;
  uint8_t high = 0xbf;
};

Sequence SequenceOf(uint8_t lead) {
  if (lead < 0x80) return {1};
  if (lead < 0xc2) return {0};
  if (lead < 0xe0) return {2};
  if (lead == 0xe0) return {3, 0xa0};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3};
  if (lead == 0xf0) return {4, 0x90};
  if (lead < 0xf4) return {4};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {0};
}

}  // namespace

size_t Utf8CharacterBytes(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const Sequence sequence = SequenceOf(byte(0));
  if (sequence.bytes > text.size()) return 0;
  for (size_t k = 1; k < sequence.bytes; ++k) {
    const uint8_t low = k == 1 ? sequence.low : 0x80;
    const uint8_t high = k == 1 ? sequence.high : 0xbf;
    if (byte(k) < low || byte(k) > high) return 0;
  }
  return sequence.bytes;
}

bool IsValidUtf8(absl::string_view text) {
  while (!text.empty()) {
    const size_t bytes = Utf8CharacterBytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace segue
