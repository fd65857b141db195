#include "allocation.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct plan {
    bool armed, failed;
    enum allocation_whose whose;
    enum allocation_span span;
    size_t left; /* allocations that still succeed */
} plan;

static _Thread_local plan planned;
static _Thread_local bool inside; /* one of ours: its malloc was judged already */
static atomic_long live;

void allocation_fail_at(enum allocation_whose whose, enum allocation_span span, size_t n)
{
    planned = (plan){.armed = true, .whose = whose, .span = span, .left = n - 1};
}

bool allocation_heal(void)
{
    planned.armed = false;
    return planned.failed;
}

long allocation_live(void)
{
    return atomic_load(&live);
}

static bool fails(enum allocation_whose whose)
{
    if (!planned.armed || whose > planned.whose)
        return false;
    if (planned.left) {
        planned.left--;
        return false;
    }
    bool again = planned.failed;
    planned.failed = true;
    return !again || planned.span == ALLOCATION_FROM_THERE_ON;
}

/* ------------------------------------------------------------------------------------------------------------ ours */

#define WRAPPED(type, name, parameters, arguments)                                                                     \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (fails(ALLOCATION_OURS))                                                                                    \
            return NULL;                                                                                               \
        inside = true;                                                                                                 \
        type memory = __real_##name arguments;                                                                         \
        inside = false;                                                                                                \
        return memory;                                                                                                 \
    }

WRAPPED(void *, sdi_malloc, (size_t size), (size))
WRAPPED(void *, sdi_calloc, (size_t count, size_t size), (count, size))
WRAPPED(void *, sdi_realloc, (void *memory_was, size_t size), (memory_was, size))
WRAPPED(char *, sdi_strdup, (const char *text), (text))
WRAPPED(char *, sdi_memdup0, (const void *data, size_t length), (data, length))

/* ------------------------------------------------------------------------------------------------------- everybody's
 */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

bool allocation_catches_all(void)
{
    return false;
}

#else

bool allocation_catches_all(void)
{
    return true;
}

/* The program hides its symbols; these must be seen by the libraries. */
#define SEEN __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static void *counted(void *memory)
{
    if (memory)
        atomic_fetch_add(&live, 1);
    return memory;
}

static bool library_fails(void)
{
    if (inside || !fails(ALLOCATION_ALL))
        return false;
    errno = ENOMEM;
    return true;
}

SEEN void *malloc(size_t size)
{
    return library_fails() ? NULL : counted(__libc_malloc(size));
}

SEEN void *calloc(size_t count, size_t size)
{
    return library_fails() ? NULL : counted(__libc_calloc(count, size));
}

SEEN void *realloc(void *memory, size_t size)
{
    if (!memory)
        return malloc(size);
    return library_fails() ? NULL : __libc_realloc(memory, size);
}

SEEN void free(void *memory)
{
    if (memory)
        atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

#endif
