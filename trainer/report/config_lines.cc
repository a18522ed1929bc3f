#include "trainer/report/config_lines.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"

namespace segue {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;

class Silent : public google::protobuf::io::ErrorCollector {
  void AddError(int, int, const std::string&) override {}
};

void Add(const Message& message, const std::string& prefix,
         std::map<std::string, std::string>& lines);

// One value: element `index` of a repeated field, -1 of a single one.
void AddValue(const Message& message, const FieldDescriptor* field, int index,
              const std::string& path,
              std::map<std::string, std::string>& lines) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    TextFormat::PrintFieldValueToString(message, field, index, &lines[path]);
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  Add(index < 0 ? reflection.GetMessage(message, field)
                : reflection.GetRepeatedMessage(message, field, index),
      path + ".", lines);
}

void Add(const Message& message, const std::string& prefix,
         std::map<std::string, std::string>& lines) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    const std::string path = prefix + field->name();
    if (!field->is_repeated()) {
      AddValue(message, field, -1, path, lines);
      continue;
    }
    const int size = message.GetReflection()->FieldSize(message, field);
    for (int at = 0; at < size; ++at) {
      AddValue(message, field, at, absl::StrCat(path, "[", at, "]"), lines);
    }
  }
}

}  // namespace

std::optional<v1::TrainerConfig> ConfigOf(const v1::Report& report) {
  if (report.config().empty()) return std::nullopt;
  TextFormat::Parser parser;
  Silent silent;
  parser.RecordErrorsTo(&silent);
  parser.AllowUnknownField(true);
  v1::TrainerConfig config;
  if (!parser.ParseFromString(report.config(), &config)) return std::nullopt;
  return config;
}

std::map<std::string, std::string> ConfigLines(
    const v1::TrainerConfig& config) {
  std::map<std::string, std::string> lines;
  Add(config, "", lines);
  return lines;
}

std::string SplitText(const v1::TrainerConfig& config) {
  const v1::SplitConfig& split = config.split();
  if (split.kind() == v1::SplitConfig::LEAVE_ONE_OUT) return "leave one out";
  std::string text =
      absl::StrFormat("test: last %g days, validation: %g days before",
                      split.test_days(), split.validation_days());
  if (split.gap_minutes() > 0) {
    absl::StrAppendFormat(&text, ", gaps of %g min", split.gap_minutes());
  }
  if (config.evaluation().protocol() == v1::EvaluationConfig::USER_SPLIT) {
    text += ", a query a user";
  }
  return text;
}

std::string LossText(const v1::TrainerConfig& config) {
  const v1::LossConfig& loss = config.training().loss();
  const std::string drawn = absl::StrCat(loss.uniform_negatives());
  std::string text = "softmax over ";
  switch (loss.negatives()) {
    case v1::LossConfig::IN_BATCH:
      text += "the batch";
      break;
    case v1::LossConfig::UNIFORM:
      absl::StrAppend(&text, drawn, " uniform negatives");
      break;
    case v1::LossConfig::MIXED:
      absl::StrAppend(&text, "the batch and ", drawn, " uniform negatives");
      break;
    case v1::LossConfig::FULL:
      text += "all items";
      break;
    case v1::LossConfig::AUTO:  // a run has chosen one of the others
      text += "candidates by the catalogue's size";
      break;
  }
  if (loss.negatives() == v1::LossConfig::IN_BATCH ||
      loss.negatives() == v1::LossConfig::MIXED) {
    text += config.training().logq_correction() ? ", logQ" : ", no logQ";
  }
  if (loss.mask_history()) text += ", history masked";
  if (config.events().negatives() == v1::EventsConfig::MASK) {
    text += ", dislikes masked";
  } else if (config.events().negatives() == v1::EventsConfig::EXPLICIT) {
    text += ", dislikes compared with";
  }
  return text;
}

}  // namespace segue
