/* allocations.h - how often this thread has allocated memory, the libraries' calls included. */
#ifndef BENCH_ALLOCATIONS_H
#define BENCH_ALLOCATIONS_H

/* bench_allocations: how many times so far; -1 in a build in which a sanitizer does the counting. */
long bench_allocations(void);

#endif
