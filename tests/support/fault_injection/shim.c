/*
 * An LD_PRELOAD shim for tests: makes file calls of the started program fail or take long, and shifts its wall clock.
 *
 * FAULT_INJECTION_FILE names the control file. It is looked at in every call and read again whenever it was changed; the file
 * must be replaced by rename. FAULT_INJECTION_HITS names a file to which every fault is appended: "<rule number> <call> <path>".
 *
 * Lines of the control file:
 *   clock <milliseconds>                                         added to CLOCK_REALTIME; CLOCK_MONOTONIC is left alone
 *   <call>[,<call>…] <part of the path> errno <number> [after <n>] [times <n>]
 *   <call>[,<call>…] <part of the path> delay <milliseconds> [after <n>] [times <n>]
 *
 * Calls: open (and openat, creat), read (and pread, readv), write (and pwrite, writev), stat (and lstat, fstat, statx), readdir,
 * opendir, unlink (and unlinkat, rmdir), rename (and renameat2), link, fsync (and fdatasync), mkdir, chmod (and chown), truncate,
 * lock (flock, fcntl). All variants of a call count as one. "*" as the path means any. `after n` leaves the first n matching calls
 * alone, `times n` stops after n faults; both count anew when the file is read. A delay ends early when the file is changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MOST_RULES 64
#define MOST_TEXT 65536

struct rule {
  char calls[128];
  char path[512];
  int error;         /* 0 for a delay */
  long delay;        /* milliseconds */
  long after, times; /* times: -1 for always */
  atomic_long seen;
};

struct control {
  struct stat stamp;
  long long offset; /* nanoseconds */
  int rules;
  struct rule rule[MOST_RULES];
};

static _Atomic(struct control *) current;
static atomic_flag reading = ATOMIC_FLAG_INIT;
static __thread int inside;

static long long number_after(const char *text, const char *word, long long otherwise) {
  char pattern[32];
  snprintf(pattern, sizeof pattern, " %s ", word);
  const char *found = strstr(text, pattern);
  return found == NULL ? otherwise : atoll(found + strlen(pattern));
}

static void read_rule(struct control *control, const char *line) {
  if (strncmp(line, "clock ", 6) == 0) {
    control->offset = atoll(line + 6) * 1000000LL;
    return;
  }
  if (control->rules == MOST_RULES) return;
  struct rule *rule = &control->rule[control->rules];
  char calls[100];
  int end = 0;
  if (sscanf(line, "%99s %511s%n", calls, rule->path, &end) != 2) return;
  snprintf(rule->calls, sizeof rule->calls, ",%s,", calls);
  const char *rest = line + end;
  rule->error = (int)number_after(rest, "errno", 0);
  rule->delay = (long)number_after(rest, "delay", 0);
  rule->after = (long)number_after(rest, "after", 0);
  rule->times = (long)number_after(rest, "times", -1);
  control->rules++;
}

static struct control *read_control(const char *path, const struct stat *stamp) {
  struct control *control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (control == MAP_FAILED) return NULL;
  control->stamp = *stamp;
  char *text = mmap(NULL, MOST_TEXT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (file >= 0 && text != MAP_FAILED) {
    long filled = 0, count;
    while (filled < MOST_TEXT - 1 && (count = syscall(SYS_read, file, text + filled, MOST_TEXT - 1 - filled)) > 0) filled += count;
    char *rest = text;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) read_rule(control, line);
  }
  if (file >= 0) syscall(SYS_close, file);
  if (text != MAP_FAILED) munmap(text, MOST_TEXT);
  return control; /* the one before is kept: another thread may be in it */
}

static int same_stamp(const struct stat *a, const struct stat *b) {
  return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The control file as it is now. */
static struct control *look(void) {
  const char *path = getenv("FAULT_INJECTION_FILE");
  struct stat stamp;
  if (path == NULL || syscall(SYS_newfstatat, AT_FDCWD, path, &stamp, 0) != 0) return atomic_load(&current);
  struct control *control = atomic_load(&current);
  if (control != NULL && same_stamp(&control->stamp, &stamp)) return control;
  /* A child between fork and exec may find the flag set by a thread that it does not have: it goes on with the old rules. */
  for (int tries = 0; atomic_flag_test_and_set(&reading); tries++) {
    if (tries == 200) return atomic_load(&current);
    struct timespec wait = {0, 1000000};
    syscall(SYS_nanosleep, &wait, NULL);
  }
  control = atomic_load(&current);
  if (control == NULL || !same_stamp(&control->stamp, &stamp)) {
    struct control *fresh = read_control(path, &stamp);
    if (fresh != NULL) atomic_store(&current, control = fresh);
  }
  atomic_flag_clear(&reading);
  return control;
}

static void note(int rule, const char *call, const char *path) {
  const char *hits = getenv("FAULT_INJECTION_HITS");
  if (hits == NULL) return;
  int file = (int)syscall(SYS_openat, AT_FDCWD, hits, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  char line[PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%d %s %s\n", rule, call, path);
  if (length >= (int)sizeof line) length = sizeof line - 1;
  syscall(SYS_write, file, line, length);
  syscall(SYS_close, file);
}

static void wait_for(struct control *control, long milliseconds) {
  struct timespec slice = {0, 2000000};
  for (long slept = 0; slept < milliseconds; slept += 2) {
    syscall(SYS_nanosleep, &slice, NULL);
    if (look() != control) return;
  }
}

static int wants(struct control *control, const char *call) {
  char name[40];
  snprintf(name, sizeof name, ",%s,", call);
  for (int i = 0; i < control->rules; i++) {
    if (strstr(control->rule[i].calls, name) != NULL) return 1;
  }
  return 0;
}

/* Applies the rules to a call on a path (and a second one). Returns the error to fail with, or 0. */
static int apply(struct control *control, const char *call, const char *path, const char *other) {
  char name[40];
  snprintf(name, sizeof name, ",%s,", call);
  for (int i = 0; i < control->rules; i++) {
    struct rule *rule = &control->rule[i];
    if (strstr(rule->calls, name) == NULL) continue;
    int any = strcmp(rule->path, "*") == 0;
    int matches = any || strstr(path, rule->path) != NULL || (other != NULL && strstr(other, rule->path) != NULL);
    if (!matches) continue;
    long seen = atomic_fetch_add(&rule->seen, 1);
    if (seen < rule->after || (rule->times >= 0 && seen >= rule->after + rule->times)) continue;
    note(i, call, path);
    if (rule->error != 0) return rule->error;
    wait_for(control, rule->delay);
  }
  return 0;
}

static void path_of_descriptor(int descriptor, char *out, size_t size) {
  char link[64];
  snprintf(link, sizeof link, descriptor == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", descriptor);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, out, size - 1);
  out[length < 0 ? 0 : length] = '\0';
}

static void whole_path(int folder, const char *path, char *out, size_t size) {
  if (path == NULL) path = "";
  if (path[0] == '/') {
    snprintf(out, size, "%s", path);
    return;
  }
  path_of_descriptor(folder, out, size);
  size_t length = strlen(out);
  if (path[0] != '\0') snprintf(out + length, size - length, "/%s", path);
}

/* The error that a call on a named file fails with, or 0. */
static int fault_named(const char *call, int folder, const char *path, int other_folder, const char *other) {
  if (inside) return 0;
  int before = errno, error = 0;
  inside = 1;
  struct control *control = look();
  if (control != NULL && control->rules > 0 && wants(control, call)) {
    char whole[PATH_MAX], second[PATH_MAX];
    whole_path(folder, path, whole, sizeof whole);
    if (other != NULL) whole_path(other_folder, other, second, sizeof second);
    error = apply(control, call, whole, other == NULL ? NULL : second);
  }
  inside = 0;
  errno = error != 0 ? error : before;
  return error;
}

/* The same for an open file. */
static int fault_open(const char *call, int descriptor) { return fault_named(call, descriptor, NULL, 0, NULL); }

#define REAL(name) ({ \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
  real; })

#define OPENING(name) \
  int name(const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    return fault_named("open", AT_FDCWD, path, 0, NULL) ? -1 : REAL(name)(path, flags, mode); \
  }
OPENING(open)
OPENING(open64)
#define OPENING_AT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    return fault_named("open", folder, path, 0, NULL) ? -1 : REAL(name)(folder, path, flags, mode); \
  }
OPENING_AT(openat)
OPENING_AT(openat64)

#define ON_DESCRIPTOR(type, name, call, parameters, arguments) \
  type name parameters { return fault_open(call, fd) ? -1 : REAL(name) arguments; }
ON_DESCRIPTOR(ssize_t, read, "read", (int fd, void *to, size_t size), (fd, to, size))
ON_DESCRIPTOR(ssize_t, readv, "read", (int fd, const struct iovec *to, int count), (fd, to, count))
ON_DESCRIPTOR(ssize_t, pread, "read", (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
ON_DESCRIPTOR(ssize_t, pread64, "read", (int fd, void *to, size_t size, off64_t at), (fd, to, size, at))
ON_DESCRIPTOR(ssize_t, write, "write", (int fd, const void *from, size_t size), (fd, from, size))
ON_DESCRIPTOR(ssize_t, writev, "write", (int fd, const struct iovec *from, int count), (fd, from, count))
ON_DESCRIPTOR(ssize_t, pwrite, "write", (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))
ON_DESCRIPTOR(ssize_t, pwrite64, "write", (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at))
ON_DESCRIPTOR(int, fsync, "fsync", (int fd), (fd))
ON_DESCRIPTOR(int, fdatasync, "fsync", (int fd), (fd))
ON_DESCRIPTOR(int, fchmod, "chmod", (int fd, mode_t mode), (fd, mode))
ON_DESCRIPTOR(int, fchown, "chmod", (int fd, uid_t user, gid_t group), (fd, user, group))
ON_DESCRIPTOR(int, ftruncate, "truncate", (int fd, off_t size), (fd, size))
ON_DESCRIPTOR(int, ftruncate64, "truncate", (int fd, off64_t size), (fd, size))
ON_DESCRIPTOR(int, flock, "lock", (int fd, int how), (fd, how))
ON_DESCRIPTOR(int, fstat, "stat", (int fd, struct stat *to), (fd, to))
ON_DESCRIPTOR(int, fstat64, "stat", (int fd, struct stat64 *to), (fd, to))

#define ON_PATH(type, name, call, bad, parameters, arguments) \
  type name parameters { return fault_named(call, AT_FDCWD, path, 0, NULL) ? bad : REAL(name) arguments; }
#define ON_PATH_AT(name, call, parameters, arguments) \
  int name parameters { return fault_named(call, folder, path, 0, NULL) ? -1 : REAL(name) arguments; }
ON_PATH(int, creat, "open", -1, (const char *path, mode_t mode), (path, mode))
ON_PATH(int, creat64, "open", -1, (const char *path, mode_t mode), (path, mode))
ON_PATH(int, stat, "stat", -1, (const char *path, struct stat *to), (path, to))
ON_PATH(int, stat64, "stat", -1, (const char *path, struct stat64 *to), (path, to))
ON_PATH(int, lstat, "stat", -1, (const char *path, struct stat *to), (path, to))
ON_PATH(int, lstat64, "stat", -1, (const char *path, struct stat64 *to), (path, to))
ON_PATH_AT(fstatat, "stat", (int folder, const char *path, struct stat *to, int flags), (folder, path, to, flags))
ON_PATH_AT(fstatat64, "stat", (int folder, const char *path, struct stat64 *to, int flags), (folder, path, to, flags))
ON_PATH_AT(statx, "stat", (int folder, const char *path, int flags, unsigned mask, struct statx *to), (folder, path, flags, mask, to))
ON_PATH(DIR *, opendir, "opendir", NULL, (const char *path), (path))
ON_PATH(int, unlink, "unlink", -1, (const char *path), (path))
ON_PATH(int, rmdir, "unlink", -1, (const char *path), (path))
ON_PATH(int, mkdir, "mkdir", -1, (const char *path, mode_t mode), (path, mode))
ON_PATH(int, chmod, "chmod", -1, (const char *path, mode_t mode), (path, mode))
ON_PATH(int, chown, "chmod", -1, (const char *path, uid_t user, gid_t group), (path, user, group))
ON_PATH(int, lchown, "chmod", -1, (const char *path, uid_t user, gid_t group), (path, user, group))
ON_PATH_AT(unlinkat, "unlink", (int folder, const char *path, int flags), (folder, path, flags))
ON_PATH_AT(mkdirat, "mkdir", (int folder, const char *path, mode_t mode), (folder, path, mode))
ON_PATH_AT(fchmodat, "chmod", (int folder, const char *path, mode_t mode, int flags), (folder, path, mode, flags))
ON_PATH_AT(fchownat, "chmod", (int folder, const char *path, uid_t user, gid_t group, int flags), (folder, path, user, group, flags))

/* The names that programs built against an older glibc ask for. */
#define OLD_STAT(name, kind, parameters, folder, path, arguments) \
  int name parameters; \
  int name parameters { return fault_named("stat", folder, path, 0, NULL) ? -1 : REAL(name) arguments; }
OLD_STAT(__xstat, stat, (int version, const char *path, struct stat *to), AT_FDCWD, path, (version, path, to))
OLD_STAT(__xstat64, stat64, (int version, const char *path, struct stat64 *to), AT_FDCWD, path, (version, path, to))
OLD_STAT(__lxstat, stat, (int version, const char *path, struct stat *to), AT_FDCWD, path, (version, path, to))
OLD_STAT(__lxstat64, stat64, (int version, const char *path, struct stat64 *to), AT_FDCWD, path, (version, path, to))
OLD_STAT(__fxstat, stat, (int version, int fd, struct stat *to), fd, NULL, (version, fd, to))
OLD_STAT(__fxstat64, stat64, (int version, int fd, struct stat64 *to), fd, NULL, (version, fd, to))
OLD_STAT(__fxstatat, stat, (int version, int folder, const char *path, struct stat *to, int flags), folder, path,
         (version, folder, path, to, flags))
OLD_STAT(__fxstatat64, stat64, (int version, int folder, const char *path, struct stat64 *to, int flags), folder, path,
         (version, folder, path, to, flags))

struct dirent *readdir(DIR *folder) { return fault_open("readdir", dirfd(folder)) ? NULL : REAL(readdir)(folder); }
struct dirent64 *readdir64(DIR *folder) { return fault_open("readdir", dirfd(folder)) ? NULL : REAL(readdir64)(folder); }

int rename(const char *from, const char *to) {
  return fault_named("rename", AT_FDCWD, from, AT_FDCWD, to) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return fault_named("rename", from_folder, from, to_folder, to) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  return fault_named("rename", from_folder, from, to_folder, to) ? -1 : REAL(renameat2)(from_folder, from, to_folder, to, flags);
}
int link(const char *from, const char *to) {
  return fault_named("link", AT_FDCWD, from, AT_FDCWD, to) ? -1 : REAL(link)(from, to);
}
int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  return fault_named("link", from_folder, from, to_folder, to) ? -1 : REAL(linkat)(from_folder, from, to_folder, to, flags);
}

int fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void *argument = va_arg(list, void *);
  va_end(list);
  int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
  if (locks && fault_open("lock", fd)) return -1;
  return REAL(fcntl)(fd, command, argument);
}

/* Nanoseconds that the wall clock is shifted by. */
static long long clock_offset(void) {
  if (inside) return 0;
  int before = errno;
  inside = 1;
  struct control *control = look();
  inside = 0;
  errno = before;
  return control == NULL ? 0 : control->offset;
}

static void shift(struct timespec *time) {
  long long offset = clock_offset();
  if (offset == 0) return;
  long long whole = (long long)time->tv_sec * 1000000000LL + time->tv_nsec + offset;
  if (whole < 0) whole = 0;
  time->tv_sec = whole / 1000000000LL;
  time->tv_nsec = whole % 1000000000LL;
}

int clock_gettime(clockid_t clock, struct timespec *to) {
  int result = REAL(clock_gettime)(clock, to);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(to);
  return result;
}

int gettimeofday(struct timeval *to, void *zone) {
  int result = REAL(gettimeofday)(to, zone);
  if (result == 0) {
    struct timespec time = {to->tv_sec, to->tv_usec * 1000L};
    shift(&time);
    to->tv_sec = time.tv_sec;
    to->tv_usec = time.tv_nsec / 1000;
  }
  return result;
}

time_t time(time_t *to) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (to != NULL) *to = now.tv_sec;
  return now.tv_sec;
}
