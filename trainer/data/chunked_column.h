// A growing column that never holds its values twice.
#ifndef SEGUE_TRAINER_DATA_CHUNKED_COLUMN_H_
#define SEGUE_TRAINER_DATA_CHUNKED_COLUMN_H_

#include <cstdint>
#include <memory>
#include <vector>

namespace segue {

// Values in chunks of 2^20: a std::vector that doubles would need three times
// its old size while it grows. Movable; one thread.
template <typename T>
class ChunkedColumn {
 public:
  void push_back(T value) {
    const int64_t place = size_ & kMask;
    if (place == 0) chunks_.push_back(std::make_unique<T[]>(kChunk));
    chunks_.back()[place] = value;
    ++size_;
  }
  T operator[](int64_t i) const { return chunks_[i >> kShift][i & kMask]; }
  int64_t size() const { return size_; }
  void Clear() {
    chunks_.clear();
    size_ = 0;
  }

 private:
  static constexpr int kShift = 20;
  static constexpr int64_t kChunk = int64_t{1} << kShift;
  static constexpr int64_t kMask = kChunk - 1;

  std::vector<std::unique_ptr<T[]>> chunks_;
  int64_t size_ = 0;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_CHUNKED_COLUMN_H_
