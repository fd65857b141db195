#include "allocations.h"

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

long bench_allocations(void)
{
    return -1;
}

#else

/* glibc's own, under the names that it keeps for those who put theirs before it. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *memory, size_t size);

/* The model matters: another would itself allocate at a thread's first use. */
static _Thread_local __attribute__((tls_model("initial-exec"))) long allocated;

long bench_allocations(void)
{
    return allocated;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    allocated++;
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    allocated++;
    return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    allocated++;
    return __libc_realloc(memory, size);
}

#endif
