// Configuration files: text-format protobuf, and --set path=value on top.
#ifndef SEGUE_CORE_CONFIG_TEXT_PROTO_H_
#define SEGUE_CORE_CONFIG_TEXT_PROTO_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace segue {

// Reads `path` into `message`. InvalidArgument for anything that the schema
// does not know, with every violation's line and column at once; NotFound if
// there is no such file.
absl::Status LoadTextProto(const std::string& path,
                           google::protobuf::Message& message);
// The same for text; `name` is for messages.
absl::Status ParseTextProto(absl::string_view text, absl::string_view name,
                            google::protobuf::Message& message);

// Sets one field: "training.epochs=3", "items.features[0].name=artist". Of
// repeated messages, name[i] is an element, name[+] a new one; of repeated
// values, name[+] adds one and, of numbers, name=[8, 4] sets them all. Strings
// need no quotes. InvalidArgument names what does not exist and what does.
absl::Status SetField(absl::string_view assignment,
                      google::protobuf::Message& message);

// The file (none if empty), then each assignment, in order.
absl::Status LoadConfig(const std::string& path,
                        const std::vector<std::string>& assignments,
                        google::protobuf::Message& message);

// One InvalidArgument that lists all violations; OK if there is none.
absl::Status ViolationsToStatus(const std::vector<std::string>& violations);

}  // namespace segue

#endif  // SEGUE_CORE_CONFIG_TEXT_PROTO_H_
