#include "core/config/text_proto.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"

namespace segue {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

constexpr uint64_t kMaxConfigBytes = 1 << 20;

// Gathers what the parser finds wrong, with places counted from 1.
class Violations : public google::protobuf::io::ErrorCollector {
 public:
  explicit Violations(absl::string_view name) : name_(name) {}
  void AddError(int line, int column, const std::string& message) override {
    found_.push_back(line < 0 ? absl::StrCat(name_, ": ", message)
                              : absl::StrCat(name_, ":", line + 1, ":",
                                             column + 1, ": ", message));
  }
  const std::vector<std::string>& found() const { return found_; }

 private:
  std::string name_;
  std::vector<std::string> found_;
};

std::string FieldNames(const Message& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    names.push_back(message.GetDescriptor()->field(i)->name());
  }
  return absl::StrJoin(names, ", ");
}

// "name", "name[3]" or "name[+]".
struct Step {
  std::string name;
  bool indexed = false;
  bool append = false;
  int index = 0;
};

absl::StatusOr<Step> ParseStep(absl::string_view text) {
  Step step;
  const size_t bracket = text.find('[');
  step.name = std::string(text.substr(0, bracket));
  if (bracket == absl::string_view::npos) return step;
  absl::string_view index = text.substr(bracket + 1);
  if (!absl::ConsumeSuffix(&index, "]") ||
      (index != "+" && !absl::SimpleAtoi(index, &step.index))) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not name, name[number] or name[+]"));
  }
  step.indexed = true;
  step.append = index == "+";
  return step;
}

absl::StatusOr<const FieldDescriptor*> FindField(const Message& message,
                                                 const Step& step) {
  const FieldDescriptor* field =
      message.GetDescriptor()->FindFieldByName(step.name);
  if (field == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no field \"", step.name, "\" in ",
        message.GetDescriptor()->name(), "; it has ", FieldNames(message)));
  }
  if (step.indexed && !field->is_repeated()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", step.name, "\" is not repeated"));
  }
  return field;
}

// The message that a step leads into.
absl::StatusOr<Message*> Enter(Message& message, const Step& step) {
  ASSIGN_OR_RETURN(const FieldDescriptor* field, FindField(message, step));
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", step.name, "\" has no fields of its own"));
  }
  const auto* reflection = message.GetReflection();
  if (!field->is_repeated()) return reflection->MutableMessage(&message, field);
  if (step.append) return reflection->AddMessage(&message, field);
  const int size = reflection->FieldSize(message, field);
  if (!step.indexed || step.index < 0 || step.index >= size) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", step.name, "\" is repeated and has ", size,
                     " elements: name one as ", step.name,
                     "[0], or a new one as ", step.name, "[+]"));
  }
  return reflection->MutableRepeatedMessage(&message, field, step.index);
}

std::string Quoted(absl::string_view value) {
  std::string quoted;
  for (char c : std::string(value)) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return absl::StrCat("\"", quoted, "\"");
}

// Parses "name: value" into a fresh message and copies the field: the parser
// refuses a singular field that is already set.
absl::Status SetLeaf(Message& message, const Step& step,
                     absl::string_view value) {
  ASSIGN_OR_RETURN(const FieldDescriptor* field, FindField(message, step));
  const bool is_text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const std::string literal = is_text ? Quoted(value) : std::string(value);
  const std::string text = is_message ? absl::StrCat(step.name, " ", literal)
                                      : absl::StrCat(step.name, ": ", literal);
  const auto* reflection = message.GetReflection();
  if (step.indexed && !step.append) {
    return absl::InvalidArgumentError(absl::StrCat(
        "elements of \"", step.name, "\" are added with ", step.name,
        "[+]=value, or all set with ", step.name, "=[a, b]"));
  }
  if (!step.append) reflection->ClearField(&message, field);
  Violations violations("--set");
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&violations);
  parser.AllowPartialMessage(true);
  if (!parser.MergeFromString(text, &message)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", value, "\" is no value for \"", step.name, "\" (",
                     field->type_name(), ")"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseTextProto(absl::string_view text, absl::string_view name,
                            Message& message) {
  Violations violations(name);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&violations);
  if (parser.ParseFromString(std::string(text), &message)) {
    return absl::OkStatus();
  }
  return ViolationsToStatus(violations.found());
}

absl::Status LoadTextProto(const std::string& path, Message& message) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxConfigBytes));
  return ParseTextProto(text, path, message);
}

absl::Status SetField(absl::string_view assignment, Message& message) {
  const size_t equals = assignment.find('=');
  const auto refuse = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("--set ", assignment, ": ", why));
  };
  if (equals == absl::string_view::npos) {
    return refuse("expected path=value, as in training.epochs=3");
  }
  const std::vector<std::string> names =
      absl::StrSplit(assignment.substr(0, equals), '.');
  Message* at = &message;
  for (size_t i = 0; i < names.size(); ++i) {
    auto step = ParseStep(names[i]);
    if (!step.ok()) return refuse(step.status().message());
    if (i + 1 == names.size()) {
      const absl::Status set =
          SetLeaf(*at, *step, assignment.substr(equals + 1));
      return set.ok() ? set : refuse(set.message());
    }
    auto next = Enter(*at, *step);
    if (!next.ok()) return refuse(next.status().message());
    at = *next;
  }
  return absl::OkStatus();
}

absl::Status LoadConfig(const std::string& path,
                        const std::vector<std::string>& assignments,
                        Message& message) {
  if (!path.empty()) RETURN_IF_ERROR(LoadTextProto(path, message));
  for (const std::string& assignment : assignments) {
    RETURN_IF_ERROR(SetField(assignment, message));
  }
  return absl::OkStatus();
}

absl::Status ViolationsToStatus(const std::vector<std::string>& violations) {
  if (violations.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(violations, "\n"));
}

}  // namespace segue
