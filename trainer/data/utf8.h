// Whether bytes are UTF-8: what protobuf's string fields and JSON demand.
#ifndef SEGUE_TRAINER_DATA_UTF8_H_
#define SEGUE_TRAINER_DATA_UTF8_H_

#include "absl/strings/string_view.h"

namespace segue {

// RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
bool IsValidUtf8(absl::string_view text);

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_UTF8_H_
