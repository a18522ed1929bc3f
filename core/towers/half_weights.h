// The weights of a tower's linear layers as halves. Private to core/towers and
// its tests.
#ifndef SEGUE_CORE_TOWERS_HALF_WEIGHTS_H_
#define SEGUE_CORE_TOWERS_HALF_WEIGHTS_H_

#include <torch/script.h>

namespace segue {

// The module as only its forward() needs it in inference, frozen, where weights
// that none but torch.ops.segue.linear takes are halves: a forward pass of few
// rows waits for its weights, which searches in between have driven out of the
// processor's caches. At 143-1024-512-128 and one row, cold, it takes .6 of the
// time then, and its vectors differ by some 3e-4.
//
// A weight over the largest half, 65504, stays as it is; so does everything
// where HasFastHalves() is false. Throws what torch throws. REQUIRES that the
// module is in its evaluation mode.
torch::jit::Module WithHalfWeights(const torch::jit::Module& module);

}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_HALF_WEIGHTS_H_
