#include "base/histogram.h"

#include <stddef.h>

/* Bucket 0..15 hold the values 0..15; from 16 on, each power of two has 16 equal steps. */
static size_t bucket_of(uint64_t value)
{
    if (value < SDI_HISTOGRAM_STEPS)
        return (size_t)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    if (power >= SDI_HISTOGRAM_POWERS)
        return SDI_HISTOGRAM_BUCKETS - 1;
    return (size_t)(power - 3) * SDI_HISTOGRAM_STEPS + ((value >> (power - 4)) & (SDI_HISTOGRAM_STEPS - 1));
}

static uint64_t upper_edge(size_t bucket)
{
    if (bucket < SDI_HISTOGRAM_STEPS)
        return bucket;
    unsigned shift = (unsigned)(bucket / SDI_HISTOGRAM_STEPS - 1);
    return ((uint64_t)(SDI_HISTOGRAM_STEPS + bucket % SDI_HISTOGRAM_STEPS + 1) << shift) - 1;
}

static uint64_t bucket_count(const sdi_histogram *histogram, size_t bucket)
{
    return atomic_load_explicit(&histogram->buckets[bucket], memory_order_relaxed);
}

void sdi_histogram_record(sdi_histogram *histogram, uint64_t value)
{
    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(value)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

static void add(_Atomic uint64_t *sum, const _Atomic uint64_t *other)
{
    uint64_t more = atomic_load_explicit(other, memory_order_relaxed);
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + more, memory_order_relaxed);
}

void sdi_histogram_add(sdi_histogram *histogram, const sdi_histogram *other)
{
    for (size_t i = 0; i < SDI_HISTOGRAM_BUCKETS; i++)
        add(&histogram->buckets[i], &other->buckets[i]);
    add(&histogram->sum, &other->sum);
}

uint64_t sdi_histogram_count(const sdi_histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i < SDI_HISTOGRAM_BUCKETS; i++)
        count += bucket_count(histogram, i);
    return count;
}

uint64_t sdi_histogram_sum(const sdi_histogram *histogram)
{
    return atomic_load_explicit(&histogram->sum, memory_order_relaxed);
}

uint64_t sdi_histogram_below(const sdi_histogram *histogram, uint64_t limit)
{
    uint64_t count = 0;
    for (size_t i = 0; i < SDI_HISTOGRAM_BUCKETS && upper_edge(i) <= limit; i++)
        count += bucket_count(histogram, i);
    return count;
}

uint64_t sdi_histogram_quantile(const sdi_histogram *histogram, double quantile)
{
    uint64_t count = sdi_histogram_count(histogram), seen = 0;
    double rank = quantile * (double)count;
    for (size_t i = 0; i < SDI_HISTOGRAM_BUCKETS && count; i++) {
        seen += bucket_count(histogram, i);
        if (seen && (double)seen >= rank)
            return upper_edge(i);
    }
    return 0;
}
