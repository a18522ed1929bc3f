#include "core/retrieval/filter.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

// A filter is a client's: its cost is bounded before it is paid.
constexpr int kMostParts = 256;
constexpr int kDeepest = 16;
constexpr int64_t kMostValues = 10000;

class Evaluation {
 public:
  Evaluation(const AttributeIndex& attributes, const Vocabulary& items)
      : attributes_(attributes), items_(items) {}

  absl::StatusOr<RowSet> Of(const v1::Filter& filter, const std::string& field,
                            int depth) {
    if (++parts_ > kMostParts) {
      return Refuse("filter",
                    absl::StrCat("has more than ", kMostParts, " parts"));
    }
    if (depth > kDeepest) {
      return Refuse("filter", absl::StrCat("is deeper than ", kDeepest));
    }
    switch (filter.is_case()) {
      case v1::Filter::kOneOf:
        return OneOf(filter.one_of(), field + ".one_of");
      case v1::Filter::kRange:
        return Range(filter.range(), field + ".range");
      case v1::Filter::kItems:
        return Items(filter.items());
      case v1::Filter::kAllOf:
        return AllOf(filter.all_of(), field + ".all_of", depth);
      case v1::Filter::kAnyOf:
        return AnyOf(filter.any_of(), field + ".any_of", depth);
      case v1::Filter::kNoneOf: {
        ASSIGN_OR_RETURN(const RowSet any,
                         AnyOf(filter.none_of(), field + ".none_of", depth));
        RowSet rest = All();
        rest.Subtract(any);
        return rest;
      }
      case v1::Filter::IS_NOT_SET:
        break;
    }
    return Refuse(field, "says nothing");
  }

 private:
  static absl::Status Refuse(absl::string_view field, absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(field, ": ", why));
  }

  RowSet All() const { return RowSet(0, items_.size()); }

  absl::Status Count(int64_t values) {
    values_ += values;
    if (values_ <= kMostValues) return absl::OkStatus();
    return Refuse("filter", absl::StrCat("has more than ", kMostValues,
                                         " values and ids"));
  }

  absl::StatusOr<int> Attribute(const std::string& name,
                                v1::AttributeColumn::Kind kind,
                                const std::string& field) const {
    const std::optional<int> found = attributes_.Find(name);
    if (!found.has_value()) {
      std::vector<std::string> known;
      for (int i = 0; i < attributes_.size(); ++i) {
        known.push_back(attributes_.name(i));
      }
      return Refuse(
          field, absl::StrCat("the bundle has no attribute \"", name, "\"",
                              known.empty() ? ", nor any other" : "; it has ",
                              absl::StrJoin(known, ", ")));
    }
    if (attributes_.kind(*found) != kind) {
      return Refuse(field,
                    absl::StrCat("attribute \"", name, "\" is ",
                                 kind == v1::AttributeColumn::NUMERIC
                                     ? "not a number: ask for one_of its values"
                                     : "a number: ask for a range"));
    }
    return *found;
  }

  absl::StatusOr<RowSet> OneOf(const v1::Filter::OneOf& one_of,
                               const std::string& field) {
    ASSIGN_OR_RETURN(
        const int attribute,
        Attribute(one_of.attribute(), v1::AttributeColumn::CATEGORICAL, field));
    RETURN_IF_ERROR(Count(one_of.values_size()));
    RowSet rows;
    for (const std::string& value : one_of.values()) {
      rows.UniteWith(attributes_.WithValue(attribute, value));
    }
    return rows;
  }

  absl::StatusOr<RowSet> Range(const v1::Filter::Range& range,
                               const std::string& field) const {
    ASSIGN_OR_RETURN(
        const int attribute,
        Attribute(range.attribute(), v1::AttributeColumn::NUMERIC, field));
    const double infinity = std::numeric_limits<double>::infinity();
    const double least = range.has_at_least() ? range.at_least() : -infinity;
    const double most = range.has_at_most() ? range.at_most() : infinity;
    if (std::isnan(least)) return Refuse(field + ".at_least", "is nan");
    if (std::isnan(most)) return Refuse(field + ".at_most", "is nan");
    return attributes_.InRange(attribute, least, most);
  }

  absl::StatusOr<RowSet> Items(const v1::Filter::ItemIds& ids) {
    RETURN_IF_ERROR(Count(ids.item_ids_size()));
    std::vector<int32_t> rows;
    for (const std::string& id : ids.item_ids()) {
      if (const auto row = items_.Find(id)) rows.push_back(*row);
    }
    return RowSet(rows);
  }

  absl::StatusOr<RowSet> AllOf(const v1::Filter::Filters& filters,
                               const std::string& field, int depth) {
    RowSet rows = All();
    for (int i = 0; i < filters.filters_size(); ++i) {
      ASSIGN_OR_RETURN(
          const RowSet some,
          Of(filters.filters(i), absl::StrCat(field, "[", i, "]"), depth + 1));
      rows.IntersectWith(some);
    }
    return rows;
  }

  absl::StatusOr<RowSet> AnyOf(const v1::Filter::Filters& filters,
                               const std::string& field, int depth) {
    RowSet rows;
    for (int i = 0; i < filters.filters_size(); ++i) {
      ASSIGN_OR_RETURN(
          const RowSet some,
          Of(filters.filters(i), absl::StrCat(field, "[", i, "]"), depth + 1));
      rows.UniteWith(some);
    }
    return rows;
  }

  const AttributeIndex& attributes_;
  const Vocabulary& items_;
  int parts_ = 0;
  int64_t values_ = 0;
};

}  // namespace

absl::StatusOr<RowSet> ApplyFilter(const v1::Filter& filter,
                                   const AttributeIndex& attributes,
                                   const Vocabulary& items) {
  return Evaluation(attributes, items).Of(filter, "filter", 1);
}

}  // namespace segue
