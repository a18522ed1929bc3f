// Fed: a byte, s for ServerConfig or t for TrainerConfig, then the text of a
// file up to a line "--set"; each line behind it is an assignment.
// Must hold: what is refused is the caller's fault; what is taken means the
// same once it is printed and read; every server configuration is found valid
// or refused. (The trainer's validation needs LibTorch's headers.)
#include <google/protobuf/text_format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "core/config/text_proto.h"
#include "segue/v1/config.pb.h"
#include "server/config_validation.h"
#include "tests/fuzz/must.h"

namespace segue::fuzz {
namespace {

template <typename Config>
bool Read(absl::string_view input, Config& config) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(input, absl::MaxSplits("\n--set\n", 1));
  const absl::Status parsed = ParseTextProto(parts.first, "fuzz", config);
  MustBeOkOr(parsed, absl::StatusCode::kInvalidArgument);
  if (!parsed.ok()) return false;
  for (const absl::string_view line :
       absl::StrSplit(parts.second, '\n', absl::SkipEmpty())) {
    MustBeOkOr(SetField(line, config), absl::StatusCode::kInvalidArgument);
  }
  return true;
}

template <typename Config>
void MeansTheSameInText(const Config& config) {
  std::string text, text_again;
  Must(google::protobuf::TextFormat::PrintToString(config, &text), "it prints");
  Config again;
  const absl::Status read = ParseTextProto(text, "again", again);
  Must(read.ok(), read.ToString());
  Must(google::protobuf::TextFormat::PrintToString(again, &text_again) &&
           text == text_again,
       "what is written is what is read");
}

}  // namespace
}  // namespace segue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace segue;  // NOLINT(google-build-using-namespace)
  if (size == 0 || (data[0] != 's' && data[0] != 't')) return 0;
  const absl::string_view input(reinterpret_cast<const char*>(data) + 1,
                                size - 1);
  if (data[0] == 't') {
    v1::TrainerConfig config;
    if (fuzz::Read(input, config)) fuzz::MeansTheSameInText(config);
    return 0;
  }
  v1::ServerConfig config;
  if (!fuzz::Read(input, config)) return 0;
  fuzz::MeansTheSameInText(config);
  fuzz::MustBeOkOr(ValidateServerConfig(config),
                   absl::StatusCode::kInvalidArgument);
  return 0;
}
