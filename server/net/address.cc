#include "server/net/address.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace segue {

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const absl::Status refused = absl::InvalidArgumentError(
      absl::StrCat("\"", text,
                   "\" is not host:port with a port of 0 to 65535, as in "
                   "127.0.0.1:50051 or [::1]:50051"));
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return refused;
  Address address;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return refused;
  }
  absl::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of("[]:") != absl::string_view::npos) {
    return refused;
  }
  if (host.empty()) return refused;
  address.host = std::string(host);
  return address;
}

std::string FormatAddress(const Address& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return absl::StrCat(v6 ? "[" : "", address.host, v6 ? "]:" : ":",
                      address.port);
}

bool IsLoopback(const Address& address) {
  return address.host == "localhost" || address.host == "::1" ||
         (address.host.rfind("127.", 0) == 0 &&
          address.host.find_first_not_of(".0123456789") == std::string::npos);
}

}  // namespace segue
