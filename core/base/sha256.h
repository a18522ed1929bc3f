// SHA-256 (OpenSSL), as lower-case hex.
#ifndef SEGUE_CORE_BASE_SHA256_H_
#define SEGUE_CORE_BASE_SHA256_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace segue {

// Feeds bytes in as many pieces as the caller likes. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(absl::string_view bytes);
  // 64 hex digits. Call once, last.
  std::string Finish();

  static std::string OfString(absl::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A 64-bit hash that is the same on every machine and in every version: the
// first eight bytes (little endian) of the SHA-256. For hashed id buckets.
uint64_t StableHash64(absl::string_view bytes);

}  // namespace segue

#endif  // SEGUE_CORE_BASE_SHA256_H_
