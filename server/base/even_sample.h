// A share of what comes, evenly spread.
#ifndef SEGUE_SERVER_BASE_EVEN_SAMPLE_H_
#define SEGUE_SERVER_BASE_EVEN_SAMPLE_H_

#include <atomic>
#include <cmath>
#include <cstdint>

namespace segue {

// Any thread. Takes no lock: one addition where anything is taken at all.
class EvenSample {
 public:
  // Whether this one is taken, of `share` in [0, 1]: where the share of what
  // came so far has grown by one.
  bool Takes(double share) {
    if (share <= 0) return false;
    const auto before =
        static_cast<double>(came_.fetch_add(1, std::memory_order_relaxed));
    return std::floor((before + 1) * share) > std::floor(before * share);
  }

 private:
  std::atomic<uint64_t> came_ = 0;
};

}  // namespace segue

#endif  // SEGUE_SERVER_BASE_EVEN_SAMPLE_H_
