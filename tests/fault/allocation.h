/* allocation.h - makes allocations fail: the n-th that this thread makes, or it and all after it.
 *
 * Our own allocations (base/memory.c) are caught by the linker's --wrap. Those of the libraries beneath, libpq,
 * hiredis, libc, are caught by a malloc of this program's own, except where a sanitizer needs to have its own. */
#ifndef SDI_TESTS_ALLOCATION_H
#define SDI_TESTS_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>

enum allocation_whose { ALLOCATION_OURS, ALLOCATION_ALL };
enum allocation_span { ALLOCATION_ONCE, ALLOCATION_FROM_THERE_ON };

/* allocation_catches_all: false where a sanitizer's malloc is used, and ALL means OURS. */
bool allocation_catches_all(void);
/* allocation_fail_at: the n-th allocation of this thread from now on fails; n from 1. */
void allocation_fail_at(enum allocation_whose whose, enum allocation_span span, size_t n);
/* allocation_heal: no more fail. True if one did since allocation_fail_at. */
bool allocation_heal(void);
/* allocation_live: blocks that stand now, of all threads; 0 where that is not counted. */
long allocation_live(void);

#endif
