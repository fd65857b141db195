#include "histogram.h"

#include <math.h>
#include <stdlib.h>

enum { HALF_BITS = 10 };

/* The values of buckets 0 to 1023 and of 1024 to 2047 are one apart; those of each 1024 more twice as far as before. */
static size_t bucket_of(uint64_t value)
{
    unsigned shift = 63 - (unsigned)__builtin_clzll(value | (2 * LOAD_HISTOGRAM_HALF - 1)) - HALF_BITS;
    return ((size_t)shift << HALF_BITS) + (size_t)(value >> shift);
}

static uint64_t highest_in(size_t bucket)
{
    unsigned shift = bucket < 2 * LOAD_HISTOGRAM_HALF ? 0 : (unsigned)(bucket >> HALF_BITS) - 1;
    return (((uint64_t)bucket - ((uint64_t)shift << HALF_BITS) + 1) << shift) - 1;
}

static uint64_t load(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void store(_Atomic uint64_t *number, uint64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static void increase(_Atomic uint64_t *number, uint64_t by)
{
    atomic_fetch_add_explicit(number, by, memory_order_relaxed);
}

static void raise_to(_Atomic uint64_t *highest, uint64_t value)
{
    uint64_t known = load(highest);
    while (value > known &&
           !atomic_compare_exchange_weak_explicit(highest, &known, value, memory_order_relaxed, memory_order_relaxed))
        ;
}

load_histogram *load_histogram_new(void)
{
    return calloc(1, sizeof(load_histogram));
}

void load_histogram_record(load_histogram *histogram, int64_t value)
{
    uint64_t kept = value < 0 ? 0 : (uint64_t)(value < LOAD_HISTOGRAM_HIGHEST ? value : LOAD_HISTOGRAM_HIGHEST);
    increase(&histogram->buckets[bucket_of(kept)], 1);
    increase(&histogram->sum, kept);
    raise_to(&histogram->highest, kept);
    raise_to(&histogram->below, UINT64_MAX - kept);
}

void load_histogram_add(load_histogram *histogram, const load_histogram *other)
{
    for (size_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++)
        if (load(&other->buckets[i]))
            increase(&histogram->buckets[i], load(&other->buckets[i]));
    increase(&histogram->sum, load(&other->sum));
    raise_to(&histogram->highest, load(&other->highest));
    raise_to(&histogram->below, load(&other->below));
}

static void add_bucket(load_histogram *histogram, size_t bucket, uint64_t count)
{
    store(&histogram->buckets[bucket], count);
    if (!count)
        return;
    increase(&histogram->sum, count * highest_in(bucket));
    raise_to(&histogram->highest, highest_in(bucket));
    raise_to(&histogram->below, UINT64_MAX - highest_in(bucket));
}

void load_histogram_since(load_histogram *difference, load_histogram *before, const load_histogram *histogram)
{
    store(&difference->sum, 0);
    store(&difference->highest, 0);
    store(&difference->below, 0);
    for (size_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
        uint64_t now = load(&histogram->buckets[i]);
        if (now || load(&difference->buckets[i]))
            add_bucket(difference, i, now - load(&before->buckets[i]));
        if (now)
            store(&before->buckets[i], now);
    }
}

uint64_t load_histogram_count(const load_histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++)
        count += load(&histogram->buckets[i]);
    return count;
}

uint64_t load_histogram_lowest(const load_histogram *histogram)
{
    return load(&histogram->below) ? UINT64_MAX - load(&histogram->below) : 0;
}

uint64_t load_histogram_highest(const load_histogram *histogram)
{
    return load(&histogram->highest);
}

double load_histogram_mean(const load_histogram *histogram)
{
    uint64_t count = load_histogram_count(histogram);
    return count ? (double)load(&histogram->sum) / (double)count : 0;
}

uint64_t load_histogram_quantile(const load_histogram *histogram, double share)
{
    uint64_t seen = 0, value = 0, count, rank = (uint64_t)ceil(share * (double)load_histogram_count(histogram));
    for (size_t bucket = 0; load_histogram_next(histogram, &bucket, &value, &count);) {
        seen += count;
        if (seen >= rank)
            break;
    }
    uint64_t highest = load_histogram_highest(histogram);
    return value < highest ? value : highest;
}

bool load_histogram_next(const load_histogram *histogram, size_t *bucket, uint64_t *value_out, uint64_t *count_out)
{
    for (; *bucket < LOAD_HISTOGRAM_BUCKETS; ++*bucket) {
        *count_out = load(&histogram->buckets[*bucket]);
        if (*count_out) {
            *value_out = highest_in((*bucket)++);
            return true;
        }
    }
    return false;
}
