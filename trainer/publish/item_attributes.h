// What filters of requests look at, as the bundle holds it.
#ifndef SEGUE_TRAINER_PUBLISH_ITEM_ATTRIBUTES_H_
#define SEGUE_TRAINER_PUBLISH_ITEM_ATTRIBUTES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/bundle/bundle_reader.h"
#include "core/bundle/bundle_writer.h"
#include "segue/v1/bundle.pb.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset.h"

namespace segue {

// config.attributes, in their order, as columns of items.attributes. REQUIRES:
// `data` was read as `config` says. FailedPrecondition: more values of items
// than a message holds.
absl::StatusOr<v1::Attributes> ItemAttributes(const v1::ItemsConfig& config,
                                              const Dataset& data);

// Item i becomes rows[i] of `count` rows; -1: it goes.
void MoveAttributes(const std::vector<int32_t>& rows, int64_t count,
                    v1::Attributes& attributes);

// Those of a bundle; none: no columns. DataLoss if the file does not parse.
absl::StatusOr<v1::Attributes> ReadAttributesFile(const Bundle& bundle);

// As items.attributes. FailedPrecondition: over 2 GiB.
absl::Status WriteAttributesFile(const v1::Attributes& attributes,
                                 BundleWriter& writer);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_ITEM_ATTRIBUTES_H_
