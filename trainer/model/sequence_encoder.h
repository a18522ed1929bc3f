// Encoders of a history that know its order: a causal transformer and HSTU.
#ifndef SEGUE_TRAINER_MODEL_SEQUENCE_ENCODER_H_
#define SEGUE_TRAINER_MODEL_SEQUENCE_ENCODER_H_

#include <cstdint>
#include <string>

#include "segue/v1/config.pb.h"
#include "trainer/model/script_weights.h"

namespace segue {

struct SequenceEncoderOptions {
  v1::EncoderConfig::Kind kind = v1::EncoderConfig::TRANSFORMER;
  int32_t width = 64;
  int32_t blocks = 2;
  int32_t heads = 2;  // divides width
  double dropout = 0;
};

// Adds the encoder's weights and returns its methods. The one to call is
//
//   encode(self, rows: Tensor, positions: Tensor, begins: Tensor) -> Tensor
//
// of packed sequences (core/towers/attention.h): rows [tokens, f] of items,
// positions [tokens] counted back from a sequence's newest token (0), begins
// [sequences + 1]. It gives [tokens, width]: of each token what it says about
// the token that follows it; no token sees a later one. With `times`, which is
// for HSTU, it also takes times [tokens] and next_times [tokens], longs: when
// each event happened and when the one that follows it did, or the request, in
// seconds. Define it with AttentionResolver(). row_width 0: rows enter
// through the module's own item_mlp(rows) -> [tokens, width].
//
// TRANSFORMER: Vaswani et al. 2017 with the normalisation before each part
// (Xiong et al. 2020) and learned positions, as SASRec (Kang and McAuley 2018).
// HSTU: Zhai et al. 2024 (arXiv 2402.17152), section 3, with relative positions
// and, with `times`, relative times (3.2, rab^{p,t}).
std::string AddSequenceEncoder(ScriptWeights& weights, int32_t row_width,
                               int32_t longest, bool times,
                               const SequenceEncoderOptions& options);

}  // namespace segue

#endif  // SEGUE_TRAINER_MODEL_SEQUENCE_ENCODER_H_
