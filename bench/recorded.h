/* recorded.h - recorded accesses: which objects a shop asked for, in order of arrival. */
#ifndef BENCH_RECORDED_H
#define BENCH_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_recorded {
    int64_t *keys, *distinct; /* in order of arrival; ascending */
    uint32_t *objects;        /* of each key, its place in `distinct` */
    size_t count, object_count;
    bool invented;
} bench_recorded;

/* bench_recorded_open reads the first `most` lines of the file, a number each. Without a path (NULL) it invents them,
 * by Zipf's law with a shop's exponent. bench_recorded_close also after a failure. */
bool bench_recorded_open(bench_recorded *recorded, const char *path, size_t most);
void bench_recorded_close(bench_recorded *recorded);

/* bench_zipf: the number, from 0 to below `count`, of an object asked for by Zipf's law with the exponent of a shop,
 * 0.82, by a `random` number. */
int64_t bench_zipf(uint64_t random, int64_t count);

#endif
