// Where UTF-8, which protobuf's strings and JSON demand, is and is not.
#ifndef SEGUE_CORE_BASE_UTF8_H_
#define SEGUE_CORE_BASE_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace segue {

// RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsValidUtf8(absl::string_view text);

// Bytes of the character that `text` begins with; 0 if it begins with none.
size_t Utf8CharacterBytes(absl::string_view text);

}  // namespace segue

#endif  // SEGUE_CORE_BASE_UTF8_H_
