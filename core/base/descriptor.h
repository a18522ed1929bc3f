// A file descriptor that is closed on every way out.
#ifndef SEGUE_CORE_BASE_DESCRIPTOR_H_
#define SEGUE_CORE_BASE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace segue {

// Owns a descriptor, or none (-1). Movable; one thread.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  // Whoever asked closes it from now on.
  int Release() { return std::exchange(fd_, -1); }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace segue

#endif  // SEGUE_CORE_BASE_DESCRIPTOR_H_
