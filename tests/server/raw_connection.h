// HTTP/2 as no client speaks it: bytes on a TCP connection.
#ifndef SEGUE_TESTS_SERVER_RAW_CONNECTION_H_
#define SEGUE_TESTS_SERVER_RAW_CONNECTION_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/descriptor.h"

namespace segue::testing {

// To a server on loopback; hangs up in the end. One thread.
class RawConnection {
 public:
  // `address`: 127.0.0.1:port. A failure to connect is one to send.
  explicit RawConnection(const std::string& address);

  // False: the peer has hung up, or takes nothing for a second.
  bool Send(absl::string_view bytes);
  // Takes what has come, without waiting for more; false: the peer has hung up.
  bool Receive();
  // Until something has come, or for 10 s; false: nothing, or the peer has hung
  // up.
  bool AwaitBytes();
  // For 10 s at most, and takes nothing; false: the peer has not hung up.
  bool AwaitHangUp();
  // How many have been taken.
  int64_t received() const { return received_; }

 private:
  Descriptor socket_;
  int64_t received_ = 0;
};

// RFC 9113, 3.4 and 4.1.
inline constexpr absl::string_view kPreface =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kSettings = 4,
  kPing = 6,
};
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;
std::string Frame(FrameType type, uint8_t flags, uint32_t stream,
                  absl::string_view payload);
// The header block of a gRPC call of `path`, in HPACK without its tables.
std::string CallHeaders(absl::string_view path);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_RAW_CONNECTION_H_
