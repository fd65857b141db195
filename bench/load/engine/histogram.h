/* histogram.h - an HdrHistogram (after Gil Tene's): how often each value from 0 to an hour of nanoseconds occurred, to
 * three significant digits. Values below 2048 have a bucket each; from there on each power of two has 1024 equal ones.
 *
 * The library has histograms of its own, with 16 to each power of two: enough for a metric, too coarse to compare by.
 *
 * Recording is a few relaxed atomic adds, by any thread at any time. One that nobody records in takes no memory to
 * speak of: its pages are touched with the buckets. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_HISTOGRAM_HIGHEST INT64_C(3600000000000)

enum { LOAD_HISTOGRAM_HALF = 1024, LOAD_HISTOGRAM_BUCKETS = 33 * LOAD_HISTOGRAM_HALF };

typedef struct load_histogram {
    _Atomic uint64_t sum;
    _Atomic uint64_t below; /* UINT64_MAX less the lowest value: so that all begin at 0 */
    _Atomic uint64_t highest;
    _Atomic uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
} load_histogram;

/* load_histogram_new is NULL without memory; free() takes it. */
load_histogram *load_histogram_new(void);
/* load_histogram_record: what is out of range becomes its nearest value. */
void load_histogram_record(load_histogram *histogram, int64_t value);
/* load_histogram_add adds what `other` holds to one that nobody records in. */
void load_histogram_add(load_histogram *histogram, const load_histogram *other);
/* load_histogram_since puts what was recorded since `before` into `difference`, and `histogram` as it is into `before`.
 * Its lowest, highest and sum are of the buckets: exact to three digits. */
void load_histogram_since(load_histogram *difference, load_histogram *before, const load_histogram *histogram);

uint64_t load_histogram_count(const load_histogram *histogram);
uint64_t load_histogram_lowest(const load_histogram *histogram);
uint64_t load_histogram_highest(const load_histogram *histogram);
double load_histogram_mean(const load_histogram *histogram);
/* load_histogram_quantile is the value that `share` (0 to 1) of all do not exceed: the highest of its bucket, but never
 * over the highest that was recorded. 0 when empty. */
uint64_t load_histogram_quantile(const load_histogram *histogram, double share);
/* load_histogram_next goes through the buckets that hold something, ascending, from *bucket = 0 on: the highest value
 * that falls into it and how many did. False after the last. */
bool load_histogram_next(const load_histogram *histogram, size_t *bucket, uint64_t *value_out, uint64_t *count_out);

#endif
