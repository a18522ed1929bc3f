// Which requests are answered at all: bounds on everything that a client can
// make large. Pure functions; any thread.
#ifndef SEGUE_SERVER_REQUESTS_REQUEST_VALIDATION_H_
#define SEGUE_SERVER_REQUESTS_REQUEST_VALIDATION_H_

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// Each: InvalidArgument with the first field at fault, its value (cut to 64
// bytes) and the bound. `bounds` is the server's own configuration. What only a
// bundle can tell (which features there are) is core/retrieval's to refuse.
absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::RetrieveRequest& request);
absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::BatchRetrieveRequest& request);
absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::SimilarItemsRequest& request);
absl::Status ValidateRequest(const v1::ServerConfig& bounds,
                             const v1::DescribeItemsRequest& request);

}  // namespace segue

#endif  // SEGUE_SERVER_REQUESTS_REQUEST_VALIDATION_H_
