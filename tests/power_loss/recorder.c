/* Records what a process writes to the files of a folder, and what it syncs, in the order in which it happens.
 *
 * Loaded with LD_PRELOAD. POWER_LOSS_FOLDER is the folder, POWER_LOSS_LOG the log. `cargo xtask chaos --power-loss` builds it, and cuts
 * what it has recorded at random places (xtask/src/chaos/power_loss).
 *
 * A record is a line `OP INODE NUMBER PATH_LENGTH DATA_LENGTH`, the path, the data, and a newline:
 *   C  a file was created              M  a folder was made
 *   W  data was written at NUMBER      T  a file has the length NUMBER now
 *   S  a file was synced               D  a folder was synced
 *   R  PATH was renamed to DATA        U  PATH was removed
 * One lock is held from before a call to after its record, so the order of the log is that of the calls. A write is recorded before
 * it is made, everything else afterwards: what the log holds when a client notes an answer has happened before that answer.
 *
 * Writes through mmap are not seen: SQLite maps only the index of its log, which it makes again after a crash. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *of = getenv("POWER_LOSS_FOLDER"), *to = getenv("POWER_LOSS_LOG");
    if (!of || !to || !realpath(of, folder)) return;
    log_fd = REAL(open)(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    folder_length = strlen(folder);
}

/* Ends the process: a recording with a gap would prove nothing. */
static void fail(const char *what) {
    perror(what);
    abort();
}

static void record(char op, uint64_t inode, uint64_t number, const char *path, const void *data, size_t length) {
    char head[128];
    int head_length = snprintf(head, sizeof head, "%c %llu %llu %zu %zu\n", op, (unsigned long long)inode,
                               (unsigned long long)number, strlen(path), length);
    struct iovec parts[] = {
        {head, (size_t)head_length}, {(void *)path, strlen(path)}, {(void *)data, length}, {(void *)"\n", 1}};
    ssize_t all = (ssize_t)(head_length + strlen(path) + length + 1);
    if (REAL(writev)(log_fd, parts, 4) != all) fail("the recorder's log");
}

static int is_inside(const char *path) {
    return log_fd >= 0 && strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || !path[folder_length]);
}

/* The path of a file that is in the folder, and what it is. */
static int inside(int fd, char path[PATH_MAX], struct stat *is) {
    char link[64];
    if (log_fd < 0 || fd == log_fd) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_inside(path) && fstat(fd, is) == 0;
}

/* The path that a name means, which need not exist: its folder does. */
static int named(const char *name, char path[PATH_MAX]) {
    char parent[PATH_MAX];
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    size_t length = slash ? (size_t)(slash - name) : 0;
    if (log_fd < 0 || length >= PATH_MAX) return 0;
    memcpy(parent, name, length);
    parent[length] = 0;
    if (!realpath(length ? parent : slash ? "/" : ".", path)) return 0;
    length = strlen(path);
    if (length + strlen(last) + 2 > PATH_MAX) return 0;
    path[length] = '/';
    strcpy(path + length + 1, last);
    return is_inside(path);
}

static int opened(int is_new, int fd, int flags) {
    char path[PATH_MAX];
    struct stat is;
    int saved = errno;
    if (fd >= 0 && inside(fd, path, &is)) {
        if (is_new) record('C', is.st_ino, 0, path, "", 0);
        else if (flags & O_TRUNC) record('T', is.st_ino, 0, path, "", 0);
    }
    errno = saved;
    return fd;
}

#define OPEN(name, missing, call, ...)                                                                                     \
    int name(__VA_ARGS__, int flags, ...) {                                                                                \
        mode_t mode = 0;                                                                                                   \
        if (flags & O_CREAT) {                                                                                             \
            va_list more;                                                                                                  \
            va_start(more, flags);                                                                                         \
            mode = va_arg(more, mode_t);                                                                                   \
            va_end(more);                                                                                                  \
        }                                                                                                                  \
        if (!(flags & (O_CREAT | O_TRUNC))) return REAL(name) call;                                                        \
        pthread_mutex_lock(&lock);                                                                                         \
        int is_new = (flags & O_CREAT) && missing != 0;                                                                    \
        int fd = opened(is_new, REAL(name) call, flags);                                                                   \
        pthread_mutex_unlock(&lock);                                                                                       \
        return fd;                                                                                                         \
    }

OPEN(open, access(name, F_OK), (name, flags, mode), const char *name)
OPEN(open64, access(name, F_OK), (name, flags, mode), const char *name)
OPEN(openat, faccessat(at, name, F_OK, 0), (at, name, flags, mode), int at, const char *name)
OPEN(openat64, faccessat(at, name, F_OK, 0), (at, name, flags, mode), int at, const char *name)

static ssize_t written(ssize_t done, size_t wanted) {
    if (done >= 0 && (size_t)done != wanted) fail("a write that wrote a part");
    return done;
}

#define PWRITE(name, offset_type)                                                                                          \
    ssize_t name(int fd, const void *data, size_t length, offset_type at) {                                                \
        char path[PATH_MAX];                                                                                               \
        struct stat is;                                                                                                    \
        pthread_mutex_lock(&lock);                                                                                         \
        int is_ours = inside(fd, path, &is);                                                                               \
        if (is_ours) record('W', is.st_ino, (uint64_t)at, path, data, length);                                             \
        ssize_t done = REAL(name)(fd, data, length, at);                                                                   \
        if (is_ours) written(done, length);                                                                                \
        pthread_mutex_unlock(&lock);                                                                                       \
        return done;                                                                                                       \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

/* Sockets and pipes are written without the lock: they may block. */
ssize_t write(int fd, const void *data, size_t length) {
    char path[PATH_MAX];
    struct stat is;
    int saved = errno, is_ours = inside(fd, path, &is);
    errno = saved;
    if (!is_ours) return REAL(write)(fd, data, length);
    pthread_mutex_lock(&lock);
    fstat(fd, &is);
    int appends = fcntl(fd, F_GETFL) & O_APPEND;
    off_t at = appends ? is.st_size : lseek(fd, 0, SEEK_CUR);
    record('W', is.st_ino, (uint64_t)at, path, data, length);
    ssize_t done = written(REAL(write)(fd, data, length), length);
    pthread_mutex_unlock(&lock);
    return done;
}

#define UNSEEN(name, arguments, ...)                                                                                       \
    ssize_t name(__VA_ARGS__) {                                                                                            \
        char path[PATH_MAX];                                                                                               \
        struct stat is;                                                                                                    \
        if (inside(fd, path, &is)) fail(#name " is not recorded");                                                         \
        return REAL(name) arguments;                                                                                       \
    }

UNSEEN(writev, (fd, parts, count), int fd, const struct iovec *parts, int count)
UNSEEN(pwritev, (fd, parts, count, at), int fd, const struct iovec *parts, int count, off_t at)
UNSEEN(pwritev64, (fd, parts, count, at), int fd, const struct iovec *parts, int count, off64_t at)

#define RECORDED(name, op, number, arguments, ...)                                                                         \
    int name(__VA_ARGS__) {                                                                                                \
        char path[PATH_MAX];                                                                                               \
        struct stat is;                                                                                                    \
        pthread_mutex_lock(&lock);                                                                                         \
        int is_ours = inside(fd, path, &is), done = REAL(name) arguments, saved = errno;                                   \
        if (is_ours && done == 0) record(op, is.st_ino, (uint64_t)number, path, "", 0);                                    \
        errno = saved;                                                                                                     \
        pthread_mutex_unlock(&lock);                                                                                       \
        return done;                                                                                                       \
    }

RECORDED(ftruncate, 'T', to, (fd, to), int fd, off_t to)
RECORDED(ftruncate64, 'T', to, (fd, to), int fd, off64_t to)
RECORDED(fsync, S_ISDIR(is.st_mode) ? 'D' : 'S', 0, (fd), int fd)
RECORDED(fdatasync, S_ISDIR(is.st_mode) ? 'D' : 'S', 0, (fd), int fd)

#define NAMED(name, op, arguments, ...)                                                                                    \
    int name(__VA_ARGS__) {                                                                                                \
        char path[PATH_MAX];                                                                                               \
        pthread_mutex_lock(&lock);                                                                                         \
        int is_ours = named(of, path), done = REAL(name) arguments, saved = errno;                                         \
        if (is_ours && done == 0) record(op, 0, 0, path, "", 0);                                                           \
        errno = saved;                                                                                                     \
        pthread_mutex_unlock(&lock);                                                                                       \
        return done;                                                                                                       \
    }

NAMED(unlink, 'U', (of), const char *of)
NAMED(mkdir, 'M', (of, mode), const char *of, mode_t mode)

int rename(const char *from, const char *to) {
    char path[PATH_MAX], path_to[PATH_MAX];
    pthread_mutex_lock(&lock);
    int is_ours = named(from, path) && named(to, path_to), done = REAL(rename)(from, to), saved = errno;
    if (is_ours && done == 0) record('R', 0, 0, path, path_to, strlen(path_to));
    errno = saved;
    pthread_mutex_unlock(&lock);
    return done;
}
