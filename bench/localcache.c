/* localcache - the cache in this process by itself, without servers: how often it has what a shop asks for, beside an
 * LRU of the same bytes; what an entry takes; how long a hit lasts, and how many more there are with more threads.
 *
 *   localcache [--quick] NAME=FILE...    recorded accesses, a number a line; without any, invented ones
 *
 * Prints JSON. */
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "local/local.h"
#include "lru.h"
#include "measure.h"
#include "recorded.h"

enum {
    MOST = 5000000,
    MOST_QUICK = 500000,
    BODY_MIN = 100, /* a row's text has so many bytes at least, */
    BODY_SPREAD = 800,
    LRU_OVERHEAD = 100, /* what the LRU is taken to need for an entry beyond its rows */
    HEAP_LIMIT = 32 << 20,
    ROUNDS = 15,
    HITS = 400000, /* of each thread in a round */
    THREADS_MAX = 64,
};

static const int percents[] = {1, 5, 10, 20};

static sdi_hash128 key_of(uint32_t object)
{
    return sdi_hash128_of(&object, sizeof object);
}

static size_t body_of(uint32_t object)
{
    return BODY_MIN + bench_random(7, object) % BODY_SPREAD;
}

/* A product: its number and a text. */
static shopdata_result *make_answer(uint32_t object)
{
    static const char text[BODY_MIN + BODY_SPREAD];
    char number[16];
    int length = snprintf(number, sizeof number, "%" PRIu32, object);
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "product_id", 20);
    sdi_result_column(&builder, "body", 25);
    sdi_result_cell(&builder, number, (size_t)length);
    sdi_result_cell(&builder, text, body_of(object));
    shopdata_result *answer = sdi_result_build(&builder);
    if (!answer) {
        bench_complain("an answer", "no memory");
        exit(1);
    }
    return answer;
}

/* Returns how many bytes its rows have. */
static size_t put(sdi_local *local, uint32_t object)
{
    shopdata_result *answer = make_answer(object);
    size_t length = answer->rows_length;
    sdi_local_tag tag = key_of(object).low;
    sdi_local_put(local, key_of(object), answer, &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, &tag, 1, {0}});
    shopdata_result_free(answer);
    return length;
}

static bool hit(sdi_local *local, sdi_hash128 key, int64_t now)
{
    sdi_local_seen seen;
    shopdata_result *result = sdi_local_get(local, key, now, 0, &seen);
    shopdata_result_free(result);
    return result != NULL;
}

static sdi_local *make_local(size_t bytes)
{
    sdi_local *local = sdi_local_new(bytes);
    if (!local) {
        bench_complain("the cache", "no memory");
        exit(1);
    }
    return local;
}

/* ---- hit ratio */

static size_t rows_of(uint32_t object)
{
    shopdata_result *answer = make_answer(object);
    size_t length = answer->rows_length;
    shopdata_result_free(answer);
    return length;
}

static size_t *sizes_of(const bench_recorded *recorded, size_t *sum_out)
{
    size_t *sizes = calloc(recorded->object_count, sizeof *sizes);
    *sum_out = 0;
    for (size_t i = 0; sizes && i < recorded->object_count; i++)
        *sum_out += sizes[i] = rows_of((uint32_t)i) + LRU_OVERHEAD;
    return sizes;
}

static double ratio_of_ours(const bench_recorded *recorded, size_t bytes)
{
    sdi_local *local = make_local(bytes);
    size_t hits = 0;
    int64_t now = sdi_uptime();
    for (size_t i = 0; i < recorded->count; i++) {
        bool there = hit(local, key_of(recorded->objects[i]), now);
        if (!there)
            put(local, recorded->objects[i]);
        hits += there;
    }
    sdi_local_free(local);
    return 100.0 * (double)hits / (double)recorded->count;
}

static double ratio_of_lru(const bench_recorded *recorded, const size_t *sizes, size_t bytes)
{
    bench_lru *lru = bench_lru_new(recorded->object_count, bytes);
    size_t hits = 0;
    for (size_t i = 0; lru && i < recorded->count; i++)
        hits += bench_lru_read(lru, recorded->objects[i], sizes[recorded->objects[i]]);
    bench_lru_free(lru);
    return 100.0 * (double)hits / (double)recorded->count;
}

static void print_ratios(const char *name, const bench_recorded *recorded)
{
    static const char *separator = "";
    size_t sum, *sizes = sizes_of(recorded, &sum);
    for (size_t i = 0; sizes && i < sizeof percents / sizeof *percents; i++) {
        size_t bytes = sum / 100 * (size_t)percents[i];
        printf("%s{\"trace\": \"%s\", \"percent\": %d, \"bytes\": %zu, \"ours\": %.2f, \"lru\": %.2f}", separator, name,
               percents[i], bytes, ratio_of_ours(recorded, bytes), ratio_of_lru(recorded, sizes, bytes));
        separator = ",\n  ";
    }
    free(sizes);
}

/* ---- bytes of an entry */

static double heap(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd);
}

/* What the heap grows by for each entry of a cache that is full, all that belongs to it included, less the rows. */
static double beyond_rows(void)
{
    double before = heap(), rows = 0;
    sdi_local *local = make_local(HEAP_LIMIT);
    uint32_t count = 0;
    while (sdi_local_used(local).evicted == 0)
        rows += (double)put(local, count++);
    double entries = (double)sdi_local_used(local).entries, grown = heap() - before;
    sdi_local_free(local);
    return grown / entries - rows / count;
}

/* ---- how fast */

struct asking {
    sdi_local *local;
    const sdi_hash128 *keys;
    size_t count, first;
    pthread_barrier_t *start;
    double seconds;
    size_t misses;
};

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *ask(void *argument)
{
    struct asking *asking = argument;
    int64_t now = sdi_uptime();
    pthread_barrier_wait(asking->start);
    double began = seconds_now();
    for (size_t i = 0, at = asking->first; i < HITS; i++, at = at + 1 == asking->count ? 0 : at + 1)
        asking->misses += !hit(asking->local, asking->keys[at], now);
    asking->seconds = seconds_now() - began;
    return NULL;
}

/* Hits a second of all threads together, while all run. */
static double rate_of(sdi_local *local, const sdi_hash128 *keys, size_t count, unsigned threads)
{
    static size_t first;
    struct asking asking[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    pthread_barrier_t start;
    double rate = 0;
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        asking[i] = (struct asking){local, keys, count, first % count, &start, 0, 0};
        if (pthread_create(&ids[i], NULL, ask, &asking[i]) != 0)
            exit(1);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        rate += HITS / asking[i].seconds;
        if (asking[i].misses)
            bench_complain("a hit", "was a miss");
    }
    pthread_barrier_destroy(&start);
    first += HITS;
    return rate;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static sdi_hash128 *fill_in(sdi_local *local, const bench_recorded *recorded)
{
    sdi_hash128 *keys = calloc(recorded->count, sizeof *keys);
    for (size_t i = 0; i < recorded->object_count; i++)
        put(local, (uint32_t)i);
    for (size_t i = 0; keys && i < recorded->count; i++)
        keys[i] = key_of(recorded->objects[i]);
    return keys;
}

/* One thread, and one a processor on the same keys, in turns. */
static void print_speed(const bench_recorded *recorded)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = processors > THREADS_MAX ? THREADS_MAX : (unsigned)processors;
    double alone[ROUNDS], linear[ROUNDS];
    sdi_local *local = make_local(recorded->object_count * (BODY_MIN + BODY_SPREAD + 400));
    sdi_hash128 *keys = fill_in(local, recorded);
    for (int i = 0; keys && i < ROUNDS; i++) {
        double one = rate_of(local, keys, recorded->count, 1);
        alone[i] = 1e9 / one;
        linear[i] = rate_of(local, keys, recorded->count, threads) / one / threads;
    }
    printf("\"hit_nanoseconds\": %.1f, \"threads\": %u, \"linear\": %.3f", median(alone, ROUNDS), threads,
           median(linear, ROUNDS));
    free(keys);
    sdi_local_free(local);
}

/* ---- */

static bool measure(char *argument, size_t most, bool speed)
{
    char *path = argument ? strchr(argument, '=') : NULL;
    bench_recorded recorded;
    if (argument && !path) {
        bench_complain(argument, "is not NAME=FILE");
        return false;
    }
    if (path)
        *path++ = '\0';
    bool good = bench_recorded_open(&recorded, path, most);
    if (good && speed)
        print_speed(&recorded);
    else if (good)
        print_ratios(path ? argument : "invented", &recorded);
    if (path)
        path[-1] = '=';
    bench_recorded_close(&recorded);
    return good;
}

int main(int count, char **arguments)
{
    int first = 1;
    bool quick = count > 1 && !strcmp(arguments[1], "--quick");
    first += quick;
    size_t most = quick ? MOST_QUICK : MOST;
    bool good = true;
    printf("{\"ratios\": [\n  ");
    for (int i = first; i < count; i++)
        good = measure(arguments[i], most, false) && good;
    if (first == count)
        good = measure(NULL, most, false);
    double beyond = beyond_rows();
    printf("],\n \"beyond_rows\": %.1f, \"beyond_bytes\": %.1f,\n ", beyond, beyond - (double)sizeof(shopdata_result));
    good = measure(first < count ? arguments[first] : NULL, most, true) && good;
    printf("}\n");
    return good ? 0 : 1;
}
