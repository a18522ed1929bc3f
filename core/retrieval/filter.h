// What a request's filter leaves of the catalogue.
#ifndef SEGUE_CORE_RETRIEVAL_FILTER_H_
#define SEGUE_CORE_RETRIEVAL_FILTER_H_

#include "absl/status/statusor.h"
#include "core/catalog/attribute_index.h"
#include "core/rows/row_set.h"
#include "core/schema/vocabulary.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// The rows of items that pass. InvalidArgument, with field and value, if the
// filter names an attribute that there is not or that is of the other kind, has
// a bound that is not a number, no condition, or costs more than a request may
// (retrieval.proto).
absl::StatusOr<RowSet> ApplyFilter(const v1::Filter& filter,
                                   const AttributeIndex& attributes,
                                   const Vocabulary& items);

}  // namespace segue

#endif  // SEGUE_CORE_RETRIEVAL_FILTER_H_
