#include "core/retrieval/filter.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

// A filter is a client's: its cost is bounded before it is paid. Each part
// unites or intersects sets as large as the catalogue; an end of a range is
// added row by row.
constexpr int kDeepest = 16;
constexpr int64_t kBudget = 10000;
constexpr int64_t kPartCost = 40;
constexpr int64_t kRangeCost = 1000;
constexpr int64_t kValueCost = 16;
constexpr int64_t kIdCost = 1;
constexpr size_t kShownBytes = 64;

class Evaluation {
 public:
  Evaluation(const AttributeIndex& attributes, const Vocabulary& items)
      : attributes_(attributes), items_(items) {}

  absl::StatusOr<RowSet> Of(const v1::Filter& filter, const std::string& field,
                            int depth) {
    RETURN_IF_ERROR(Spend(kPartCost));
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

  absl::Status Spend(int64_t cost) {
    spent_ += cost;
    if (spent_ <= kBudget) return absl::OkStatus();
    return Refuse(
        "filter",
        absl::StrCat("is too large: a part costs ", kPartCost, ", a range ",
                     kRangeCost, " more, a value ", kValueCost, ", an id ",
                     kIdCost, "; together they may cost ", kBudget));
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
          field,
          absl::StrCat("the bundle has no attribute \"",
                       absl::Utf8SafeCEscape(name.substr(0, kShownBytes)), "\"",
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
    RETURN_IF_ERROR(Spend(kValueCost * one_of.values_size()));
    RowSet rows;
    for (const std::string& value : one_of.values()) {
      attributes_.AddWithValue(attribute, value, rows);
    }
    return rows;
  }

  absl::StatusOr<RowSet> Range(const v1::Filter::Range& range,
                               const std::string& field) {
    RETURN_IF_ERROR(Spend(kRangeCost));
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
    RETURN_IF_ERROR(Spend(kIdCost * ids.item_ids_size()));
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
  int64_t spent_ = 0;
};

}  // namespace

absl::StatusOr<RowSet> ApplyFilter(const v1::Filter& filter,
                                   const AttributeIndex& attributes,
                                   const Vocabulary& items) {
  return Evaluation(attributes, items).Of(filter, "filter", 1);
}

}  // namespace segue
