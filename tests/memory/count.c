// A library that is loaded before the C library (LD_PRELOAD) and counts the
// memory that a program asks for: Linux only, for tests/test_memory.py.
//
// Counted are malloc, calloc, realloc, aligned_alloc, posix_memalign and
// mappings of no file, in bytes as asked for; and for each call, whether the
// program made it or the C library for itself (a stack or a table of a
// thread, a buffer of a stream). One line of JSON goes to the file that
// COUNT_MEMORY names when the program ends:
//
//   program, library   the most bytes that each held at one time
//   together           the most that both held at one time
//   calls              how often the program asked
//   late               and how often after its largest piece was there
//   left, library_left bytes that each never gave back: a buffer of standard
//                      output, say, where the program brings none
//   anonymous          the most bytes of RssAnon, in /proc/self/status,
//                      looked at before each piece of a page or more is given
//                      back, and at the end
//   resident           VmHWM: the most of all pages there ever were
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PROGRAM, LIBRARY, OWNERS, HEADER = 64, PAGE = 4096, MAPPINGS = 4096 };

// In front of each piece, so that free() knows what it gives back.
typedef struct {
    void *block;                // as the C library gave it
    size_t bytes;
    int owner;
    uint32_t mark;              // ours
} header;
enum { MARK = 0x5eed1e55 };

static struct {
    pthread_mutex_t lock;
    long long live[OWNERS], peak[OWNERS], both;
    long long calls, late, largest, anonymous;
    struct { void *at; size_t bytes; int owner; } mapping[MAPPINGS];
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

extern void *__libc_malloc(size_t bytes);
extern void __libc_free(void *block);

// Where the program's own code lies; everything else is a library.
static uintptr_t code_begin, code_end;

static int find_program(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD
            && (info->dlpi_phdr[i].p_flags & PF_X)) {
            code_begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            code_end = code_begin + info->dlpi_phdr[i].p_memsz;
        }
    return 1;                   // the program comes first
}

static int owner_of(const void *caller)
{
    if (code_end == 0)
        dl_iterate_phdr(find_program, NULL);
    uintptr_t at = (uintptr_t)caller;
    return at >= code_begin && at < code_end ? PROGRAM : LIBRARY;
}

static void count(int owner, long long bytes)
{
    pthread_mutex_lock(&all.lock);
    all.live[owner] += bytes;
    if (all.live[owner] > all.peak[owner])
        all.peak[owner] = all.live[owner];
    if (all.live[PROGRAM] + all.live[LIBRARY] > all.both)
        all.both = all.live[PROGRAM] + all.live[LIBRARY];
    if (owner == PROGRAM && bytes > 0) {
        all.calls++;
        all.late++;
        if (bytes > all.largest) {
            all.largest = bytes;
            all.late = 0;
        }
    }
    pthread_mutex_unlock(&all.lock);
}

// A number of /proc/self/status in bytes, without asking for memory.
static long long status(const char *name)
{
    static char text[8192];
    int handle = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = handle < 0 ? 0 : read(handle, text, sizeof text - 1);
    if (handle >= 0)
        close(handle);
    text[n < 0 ? 0 : n] = '\0';
    const char *line = strstr(text, name);
    return line == NULL ? -1 : 1024 * strtoll(line + strlen(name), NULL, 10);
}

static void look_at_pages(void)
{
    pthread_mutex_lock(&all.lock);
    long long now = status("RssAnon:");
    if (now > all.anonymous)
        all.anonymous = now;
    pthread_mutex_unlock(&all.lock);
}

// ---------------------------------------------------------------- the heap

static void *take(size_t bytes, size_t alignment, int owner)
{
    size_t space = alignment < HEADER ? HEADER : alignment;
    if (bytes > SIZE_MAX - 2 * space)
        return NULL;
    unsigned char *block = __libc_malloc(bytes + 2 * space);
    if (block == NULL)
        return NULL;
    uintptr_t at = ((uintptr_t)block + HEADER + space - 1) / space * space;
    header *h = (header *)at - 1;
    *h = (header){block, bytes, owner, MARK};
    count(owner, (long long)bytes);
    return (void *)at;
}

void *malloc(size_t bytes)
{
    return take(bytes, 16, owner_of(__builtin_return_address(0)));
}

void *calloc(size_t n, size_t each)
{
    size_t bytes;
    int owner = owner_of(__builtin_return_address(0));
    if (__builtin_mul_overflow(n, each, &bytes))
        return NULL;
    // Pages that come fresh from the system are zero and stay untouched, as
    // the C library would leave them.
    void *piece = NULL;
    if (bytes < 1 << 17) {
        piece = take(bytes, 16, owner);
        return piece == NULL ? NULL : memset(piece, 0, bytes);
    }
    if (bytes > SIZE_MAX - 2 * PAGE)
        return NULL;
    extern void *__libc_calloc(size_t, size_t);
    unsigned char *block = __libc_calloc(1, bytes + 2 * HEADER);
    if (block == NULL)
        return NULL;
    uintptr_t at = ((uintptr_t)block + 2 * HEADER - 1) / HEADER * HEADER;
    header *h = (header *)at - 1;
    *h = (header){block, bytes, owner, MARK};
    count(owner, (long long)bytes);
    return (void *)at;
}

void free(void *piece)
{
    if (piece == NULL)
        return;
    header *h = (header *)piece - 1;
    if (h->mark != MARK) {      // from before we were there
        __libc_free(piece);
        return;
    }
    if (h->bytes >= PAGE)
        look_at_pages();
    count(h->owner, -(long long)h->bytes);
    h->mark = 0;
    __libc_free(h->block);
}

void *realloc(void *piece, size_t bytes)
{
    int owner = owner_of(__builtin_return_address(0));
    void *moved = take(bytes, 16, owner);
    if (moved == NULL || piece == NULL)
        return moved;
    size_t old = ((header *)piece - 1)->bytes;
    memcpy(moved, piece, old < bytes ? old : bytes);
    free(piece);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return take(bytes, alignment, owner_of(__builtin_return_address(0)));
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    *out = take(bytes, alignment, owner_of(__builtin_return_address(0)));
    return *out == NULL ? 12 : 0;
}

// ------------------------------------------------------------- mappings

void *mmap(void *at, size_t bytes, int protection, int flags, int handle,
           off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    int owner = owner_of(__builtin_return_address(0));
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "mmap");
    void *mapped = real(at, bytes, protection, flags, handle, offset);
    if (mapped == MAP_FAILED || !(flags & MAP_ANONYMOUS))
        return mapped;
    pthread_mutex_lock(&all.lock);
    for (int i = 0; i < MAPPINGS; i++)
        if (all.mapping[i].at == NULL) {
            all.mapping[i].at = mapped;
            all.mapping[i].bytes = bytes;
            all.mapping[i].owner = owner;
            break;
        }
    pthread_mutex_unlock(&all.lock);
    count(owner, (long long)bytes);
    return mapped;
}

int munmap(void *at, size_t bytes)
{
    static int (*real)(void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "munmap");
    look_at_pages();
    for (int i = 0; i < MAPPINGS; i++)
        if (all.mapping[i].at == at && at != NULL) {
            all.mapping[i].at = NULL;
            count(all.mapping[i].owner, -(long long)all.mapping[i].bytes);
        }
    return real(at, bytes);
}

// --------------------------------------------------------------- the end

static __attribute__((destructor)) void report(void)
{
    const char *path = getenv("COUNT_MEMORY");
    char line[512];
    look_at_pages();
    int n = snprintf(line, sizeof line,
                     "{\"program\": %lld, \"library\": %lld, \"together\": "
                     "%lld, \"calls\": %lld, \"late\": %lld, \"left\": %lld, "
                     "\"library_left\": %lld, \"anonymous\": %lld, "
                     "\"resident\": %lld}\n",
                     all.peak[PROGRAM], all.peak[LIBRARY], all.both,
                     all.calls, all.late, all.live[PROGRAM],
                     all.live[LIBRARY], all.anonymous,
                     status("VmHWM:"));
    int handle = path == NULL ? -1
               : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (handle >= 0) {
        if (write(handle, line, (size_t)n) != n)
            _exit(99);
        close(handle);
    }
}
