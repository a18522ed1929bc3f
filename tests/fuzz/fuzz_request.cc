// Fed: a byte that names a request of retrieval.proto, and its bytes.
// Must hold: what parses is found valid, or refused as the caller's fault, in
// words that are short and fit into a log line; a filter that is found valid
// leaves rows of the catalogue, or is refused likewise.
#include <cstddef>
#include <cstdint>

#include "core/catalog/attribute_index.h"
#include "core/retrieval/filter.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/retrieval.pb.h"
#include "server/requests/request_validation.h"
#include "tests/fuzz/must.h"

namespace segue::fuzz {
namespace {

// An id of 64 bytes escaped, where it stands in a filter of the largest depth.
constexpr size_t kLongestMessage = 2000;

// Five films: three of a genre, two of another, four with a year.
struct Films {
  Films() {
    for (const char* id : {"a", "b", "c", "d", "e"}) items.Add(id);
    v1::Attributes from;
    v1::AttributeColumn& genre = *from.add_columns();
    genre.set_name("genre");
    genre.set_kind(v1::AttributeColumn::CATEGORICAL);
    for (const char* value : {"comedy", "drama"}) genre.add_values(value);
    for (const int begin : {0, 3, 5}) genre.add_begins(begin);
    for (const int row : {0, 1, 4, 1, 3}) genre.add_rows(row);
    v1::AttributeColumn& year = *from.add_columns();
    year.set_name("year");
    year.set_kind(v1::AttributeColumn::NUMERIC);
    for (const double number : {1980., 1990., 1990., 2000., 2010.}) {
      year.add_numbers(number);
    }
    attributes = AttributeIndex::Create(from, items.size()).value();
  }

  Vocabulary items{1};
  AttributeIndex attributes;
};

void CheckRefusal(const absl::Status& status) {
  MustBeOkOr(status, absl::StatusCode::kInvalidArgument);
  Must(status.message().size() <= kLongestMessage, "a refusal is short");
  for (const char c : status.message()) {
    Must(static_cast<unsigned char>(c) >= ' ', "a refusal is one line");
  }
}

void Filter(const v1::Filter& filter) {
  static const Films* films = new Films;
  const auto rows = ApplyFilter(filter, films->attributes, films->items);
  CheckRefusal(rows.status());
  if (!rows.ok()) return;
  for (const int32_t row : rows->ToRows()) {
    Must(row >= 0 && row < films->items.size(), "rows are of the catalogue");
  }
}

void Filters(const v1::RetrieveRequest& request) {
  if (request.has_filter()) Filter(request.filter());
}
void Filters(const v1::BatchRetrieveRequest& request) {
  for (const v1::RetrieveRequest& one : request.requests()) Filters(one);
}
void Filters(const v1::SimilarItemsRequest& request) {
  if (request.has_filter()) Filter(request.filter());
}
void Filters(const v1::DescribeItemsRequest& /*request*/) {}

template <typename Request>
void Feed(const uint8_t* data, size_t size) {
  static const v1::ServerConfig* bounds = new v1::ServerConfig;
  Request request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return;
  const absl::Status valid = ValidateRequest(*bounds, request);
  CheckRefusal(valid);
  if (valid.ok()) Filters(request);
}

}  // namespace
}  // namespace segue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace segue;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  switch (data[0]) {
    case 'r':
      fuzz::Feed<v1::RetrieveRequest>(data + 1, size - 1);
      break;
    case 'b':
      fuzz::Feed<v1::BatchRetrieveRequest>(data + 1, size - 1);
      break;
    case 's':
      fuzz::Feed<v1::SimilarItemsRequest>(data + 1, size - 1);
      break;
    case 'd':
      fuzz::Feed<v1::DescribeItemsRequest>(data + 1, size - 1);
      break;
    default:
      return 0;
  }
  return 0;
}
