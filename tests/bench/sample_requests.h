// The requests of real users that a training leaves in its run_dir.
#ifndef SEGUE_TESTS_BENCH_SAMPLE_REQUESTS_H_
#define SEGUE_TESTS_BENCH_SAMPLE_REQUESTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "segue/v1/retrieval.pb.h"

namespace segue::bench {

// Of a JSON array of segue.v1.RetrieveRequest; InvalidArgument if the file
// holds anything else, or none.
absl::StatusOr<v1::BatchRetrieveRequest> ReadSampleRequests(
    const std::string& path);

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_SAMPLE_REQUESTS_H_
