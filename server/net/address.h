// host:port, as configurations write it.
#ifndef SEGUE_SERVER_NET_ADDRESS_H_
#define SEGUE_SERVER_NET_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace segue {

struct Address {
  std::string host;  // without the brackets of an IPv6 address
  int port = 0;      // 0: any free one
};

// "127.0.0.1:50051", "[::1]:0", "localhost:9464". InvalidArgument otherwise.
absl::StatusOr<Address> ParseAddress(absl::string_view text);
std::string FormatAddress(const Address& address);
// Nobody from outside of this machine reaches it: localhost, 127.x.x.x, ::1.
bool IsLoopback(const Address& address);

}  // namespace segue

#endif  // SEGUE_SERVER_NET_ADDRESS_H_
