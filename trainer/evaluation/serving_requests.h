// Evaluation queries as a client would send them, so that figures come through
// the very path that serves.
#ifndef SEGUE_TRAINER_EVALUATION_SERVING_REQUESTS_H_
#define SEGUE_TRAINER_EVALUATION_SERVING_REQUESTS_H_

#include "segue/v1/retrieval.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"

namespace segue {

// The request whose answer should hold the query's target: user, the newest
// `history_length` events before it, oldest first, with their times where those
// are seconds, and the request features and the time of the target's event.
v1::RetrieveRequest ToRequest(const Dataset& data, const EvaluationQuery& query,
                              int32_t history_length);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_SERVING_REQUESTS_H_
