/*
 * A disk on which every sync takes a millisecond, for whoever runs in the process: preloaded, it stands in for the calls that
 * wait for a disk, and waits for the clock instead. Files opened with O_DSYNC or O_SYNC wait at every write. Nothing is synced.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS 1000000
#define FILES 65536

static char through[FILES];

static void wait_for_disk(void) {
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_nsec += NANOSECONDS;
  if (end.tv_nsec >= 1000000000) {
    end.tv_nsec -= 1000000000;
    end.tv_sec++;
  }
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) != 0) continue;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

int fsync(int fd) { (void)fd; wait_for_disk(); return 0; }
int fdatasync(int fd) { (void)fd; wait_for_disk(); return 0; }
int msync(void *at, size_t length, int flags) {
  (void)at, (void)length;
  if (flags & MS_SYNC) wait_for_disk();
  return 0;
}

static int opened(int fd, int flags) {
  if (fd >= 0 && fd < FILES) through[fd] = (flags & O_DSYNC) != 0;
  return fd;
}

#define MODE(flags)                                   \
  mode_t mode = 0;                                    \
  if ((flags) & (O_CREAT | O_TMPFILE)) {              \
    va_list more;                                     \
    va_start(more, flags);                            \
    mode = va_arg(more, mode_t);                      \
    va_end(more);                                     \
  }

#define OPEN(name)                                                                        \
  int name(const char *path, int flags, ...) {                                            \
    MODE(flags)                                                                           \
    static int (*real)(const char *, int, ...);                                           \
    if (!real) real = next(#name);                                                        \
    return opened(real(path, flags & ~O_SYNC, mode), flags);                              \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                      \
  int name(int at, const char *path, int flags, ...) {                                    \
    MODE(flags)                                                                           \
    static int (*real)(int, const char *, int, ...);                                      \
    if (!real) real = next(#name);                                                        \
    return opened(real(at, path, flags & ~O_SYNC, mode), flags);                          \
  }
OPENAT(openat)
OPENAT(openat64)

#define WRITTEN(fd, result)                                                               \
  ssize_t written = (result);                                                             \
  if (written > 0 && fd >= 0 && fd < FILES && through[fd]) wait_for_disk();               \
  return written;

ssize_t write(int fd, const void *bytes, size_t length) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) real = next("write");
  WRITTEN(fd, real(fd, bytes, length))
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (!real) real = next("writev");
  WRITTEN(fd, real(fd, parts, count))
}
#define PWRITE(name, offset)                                                              \
  ssize_t name(int fd, const void *bytes, size_t length, offset at) {                     \
    static ssize_t (*real)(int, const void *, size_t, offset);                            \
    if (!real) real = next(#name);                                                        \
    WRITTEN(fd, real(fd, bytes, length, at))                                              \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
#define PWRITEV(name, offset)                                                             \
  ssize_t name(int fd, const struct iovec *parts, int count, offset at) {                 \
    static ssize_t (*real)(int, const struct iovec *, int, offset);                       \
    if (!real) real = next(#name);                                                        \
    WRITTEN(fd, real(fd, parts, count, at))                                               \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)
