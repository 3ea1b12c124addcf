/* A disk that can lose power and run full: loaded before libc into the program under torture (LD_PRELOAD).
 *
 * TORTURE_DISK_FILES     the files it stands for: every path that begins so, but for SQLite's -shm, which is memory
 * TORTURE_DISK_CRASH_AT  loses power at this write or sync, counted from the start of the process
 * TORTURE_DISK_SEED      decides what else survives: each sector that was written and not synced may or may not
 * TORTURE_DISK_LIES      if set, a sync promises everything and does nothing: to see that loss would be noticed
 * TORTURE_DISK_FULL      while this file exists, no file grows
 *
 * What is written goes to the real file at once, as it would to the page cache, and what stood there before is kept
 * until it is synced. When power is lost, all that was not synced is put back, a part of it (by the seed) written
 * again, files whose folder was not synced are removed, and the process dies by SIGKILL. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define FDS 65536
#define SECTOR 512

struct change {
    struct change *older;
    off_t at;
    size_t length;      /* of the write */
    size_t there;       /* how much of it overwrote something */
    off_t size_before;  /* of the file */
    char *before, *after;
};

struct file {
    struct file *next;
    dev_t device;
    ino_t number;
    int fd;             /* our own, for putting things back */
    int is_new;         /* its folder was not synced since it was made */
    char *path;
    struct change *newest;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static struct file *open_as[FDS];
static char *folders[FDS];
static const char *prefix, *full;
static long crash_at, operations;
static uint64_t seed;
static int lies;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_openat = dlsym(RTLD_NEXT, "openat");
    real_close = dlsym(RTLD_NEXT, "close");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    prefix = getenv("TORTURE_DISK_FILES");
    full = getenv("TORTURE_DISK_FULL");
    lies = getenv("TORTURE_DISK_LIES") != NULL;
    if (getenv("TORTURE_DISK_CRASH_AT")) crash_at = atol(getenv("TORTURE_DISK_CRASH_AT"));
    if (getenv("TORTURE_DISK_SEED")) seed = strtoull(getenv("TORTURE_DISK_SEED"), NULL, 10);
}

static uint64_t draw(void) { /* xorshift */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static int is_ours(const char *path) {
    size_t length = strlen(path);
    if (!prefix || strncmp(path, prefix, strlen(prefix)) != 0) return 0;
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static void write_all(int fd, const char *bytes, size_t length, off_t at) {
    while (length > 0) {
        ssize_t done = real_pwrite(fd, bytes, length, at);
        if (done <= 0) return;
        bytes += done, at += done, length -= (size_t)done;
    }
}

/* Writes a part of the changes again, oldest first. */
static void keep_some(struct file *file, struct change *change) {
    if (!change) return;
    keep_some(file, change->older);
    for (size_t at = 0; at < change->length; at += SECTOR) {
        size_t length = change->length - at < SECTOR ? change->length - at : SECTOR;
        if (change->after && draw() % 2) write_all(file->fd, change->after + at, length, change->at + (off_t)at);
    }
}

static void lose_power(void) {
    int all_is_lost = seed % 3 == 0; /* else a part survives */
    for (struct file *file = files; file; file = file->next) {
        for (struct change *change = file->newest; change; change = change->older) {
            write_all(file->fd, change->before, change->there, change->at);
            real_ftruncate(file->fd, change->size_before);
        }
        if (file->is_new) unlink(file->path);
        else if (!all_is_lost) keep_some(file, file->newest);
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void count(void) {
    operations++;
    if (crash_at && operations >= crash_at) lose_power();
}

/* Remembers what stands where something is about to be written, or cut off (`bytes` is then NULL). */
static void remember(struct file *file, const char *bytes, size_t length, off_t at) {
    struct change *change = calloc(1, sizeof *change);
    struct stat now;
    if (fstat(file->fd, &now) != 0) abort();
    change->at = at, change->length = length, change->size_before = now.st_size;
    if (at < now.st_size) {
        change->there = (size_t)(now.st_size - at) < length ? (size_t)(now.st_size - at) : length;
        change->before = malloc(change->there);
        if (pread(file->fd, change->before, change->there, at) != (ssize_t)change->there) abort();
    }
    if (bytes) {
        change->after = malloc(length);
        memcpy(change->after, bytes, length);
    }
    change->older = file->newest;
    file->newest = change;
}

static void synced(struct file *file) {
    for (struct change *change = file->newest; change;) {
        struct change *older = change->older;
        free(change->before), free(change->after), free(change);
        change = older;
    }
    file->newest = NULL;
}

static void opened(int fd, const char *path, int existed) {
    struct stat now;
    if (fd < 0 || fd >= FDS) return;
    pthread_mutex_lock(&lock);
    free(folders[fd]);
    folders[fd] = NULL;
    open_as[fd] = NULL;
    if (prefix && fstat(fd, &now) == 0) {
        if (S_ISDIR(now.st_mode) && strncmp(prefix, path, strlen(path)) == 0) folders[fd] = strdup(path);
        if (S_ISREG(now.st_mode) && is_ours(path)) {
            struct file *file = files;
            while (file && (file->device != now.st_dev || file->number != now.st_ino)) file = file->next;
            if (!file) {
                file = calloc(1, sizeof *file);
                file->device = now.st_dev, file->number = now.st_ino, file->path = strdup(path);
                file->fd = real_open(path, O_RDWR | O_CLOEXEC);
                file->next = files, files = file;
                file->is_new = !existed;
            }
            open_as[fd] = file;
        }
    }
    pthread_mutex_unlock(&lock);
}

static int mode_of(int flags, va_list more) {
    return flags & (O_CREAT | O_TMPFILE) ? (int)va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = mode_of(flags, more);
    va_end(more);
    int existed = access(path, F_OK) == 0;
    int fd = real_open(path, flags, mode);
    opened(fd, path, existed);
    return fd;
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = mode_of(flags, more);
    va_end(more);
    int existed = faccessat(folder, path, F_OK, 0) == 0;
    int fd = real_openat(folder, path, flags, mode);
    opened(fd, path, existed);
    return fd;
}
int openat64(int folder, const char *path, int flags, ...) __attribute__((alias("openat")));

int close(int fd) {
    if (fd >= 0 && fd < FDS && (open_as[fd] || folders[fd])) {
        pthread_mutex_lock(&lock);
        open_as[fd] = NULL;
        free(folders[fd]);
        folders[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return real_close(fd);
}

static struct file *ours(int fd) { return fd >= 0 && fd < FDS ? open_as[fd] : NULL; }

static int may_not_grow(struct file *file, off_t end) {
    struct stat now;
    return full && access(full, F_OK) == 0 && fstat(file->fd, &now) == 0 && end > now.st_size;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    struct file *file = ours(fd);
    if (!file) return real_pwrite(fd, bytes, length, at);
    ssize_t done = -1;
    pthread_mutex_lock(&lock);
    if (may_not_grow(file, at + (off_t)length)) {
        errno = ENOSPC;
    } else {
        count();
        if (crash_at) remember(file, bytes, length, at);
        done = real_pwrite(fd, bytes, length, at);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) __attribute__((alias("pwrite")));

ssize_t write(int fd, const void *bytes, size_t length) {
    if (!ours(fd)) return real_write(fd, bytes, length);
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t done = pwrite(fd, bytes, length, at);
    if (done > 0) lseek(fd, at + done, SEEK_SET);
    return done;
}

int ftruncate(int fd, off_t size) {
    struct file *file = ours(fd);
    if (!file) return real_ftruncate(fd, size);
    int done = -1;
    pthread_mutex_lock(&lock);
    struct stat now;
    if (may_not_grow(file, size)) {
        errno = ENOSPC;
    } else {
        count();
        if (crash_at && fstat(fd, &now) == 0) {
            remember(file, NULL, now.st_size > size ? (size_t)(now.st_size - size) : 0, size);
        }
        done = real_ftruncate(fd, size);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate64(int fd, off_t size) __attribute__((alias("ftruncate")));

static int sync_with(int fd, int (*real)(int)) {
    struct file *file = ours(fd);
    char *folder = fd >= 0 && fd < FDS ? folders[fd] : NULL;
    if (!file && !folder) return real(fd);
    pthread_mutex_lock(&lock);
    count();
    if (!lies && file) synced(file);
    if (!lies && folder) {
        for (struct file *each = files; each; each = each->next) {
            if (strncmp(each->path, folder, strlen(folder)) == 0) each->is_new = 0;
        }
    }
    pthread_mutex_unlock(&lock);
    return 0; /* the real disk need not be bothered: the machine stays up */
}

int fsync(int fd) { return sync_with(fd, real_fsync); }
int fdatasync(int fd) { return sync_with(fd, real_fdatasync); }
