// A disk that fails, as far as one process sees it: preloaded, it makes open()
// and read() of what lies below SEGUE_EIO_PATH fail with EIO while the file
// SEGUE_EIO_WHILE exists.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

bool IsBelow(const char* path) {
  const char* root = ::getenv("SEGUE_EIO_PATH");
  return root != nullptr && ::strncmp(path, root, ::strlen(root)) == 0;
}

bool DiskFails() {
  const char* sign = ::getenv("SEGUE_EIO_WHILE");
  return sign != nullptr && ::access(sign, F_OK) == 0;
}

bool IsDescriptorBelow(int descriptor) {
  char link[64], path[PATH_MAX];
  ::snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof(path) - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return IsBelow(path);
}

bool IsToFail(int folder, const char* path) {
  if (!DiskFails()) return false;
  return path[0] == '/' || folder == AT_FDCWD ? IsBelow(path)
                                              : IsDescriptorBelow(folder);
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

int OpenAt(const char* name, int folder, const char* path, int flags,
           va_list rest) {
  const mode_t mode =
      (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(rest, int)) : 0;
  if (IsToFail(folder, path)) {
    errno = EIO;
    return -1;
  }
  return Next<int (*)(int, const char*, int, ...)>(name)(folder, path, flags,
                                                         mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int descriptor = OpenAt("openat", AT_FDCWD, path, flags, rest);
  va_end(rest);
  return descriptor;
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int descriptor = OpenAt("openat64", AT_FDCWD, path, flags, rest);
  va_end(rest);
  return descriptor;
}

int openat(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int descriptor = OpenAt("openat", folder, path, flags, rest);
  va_end(rest);
  return descriptor;
}

int openat64(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int descriptor = OpenAt("openat64", folder, path, flags, rest);
  va_end(rest);
  return descriptor;
}

ssize_t read(int descriptor, void* bytes, size_t count) {
  if (DiskFails() && IsDescriptorBelow(descriptor)) {
    errno = EIO;
    return -1;
  }
  static const auto next = Next<ssize_t (*)(int, void*, size_t)>("read");
  return next(descriptor, bytes, count);
}

}  // extern "C"
