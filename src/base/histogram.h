/* histogram.h - counts of values in log-linear buckets: 16 steps to each power of two, so a value is known to 1/16
 * (6.25 %) from 1 to 2^40. Recording is one relaxed atomic add: any thread may record at any time.
 * After the idea of HdrHistogram (Gil Tene). */
#ifndef SDI_BASE_HISTOGRAM_H
#define SDI_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { SDI_HISTOGRAM_STEPS = 16, SDI_HISTOGRAM_POWERS = 40, SDI_HISTOGRAM_BUCKETS = 16 * (40 - 3) };

typedef struct sdi_histogram {
    _Atomic uint64_t buckets[SDI_HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum;
} sdi_histogram;

void sdi_histogram_record(sdi_histogram *histogram, uint64_t value);
/* sdi_histogram_add adds what `other` holds to one that nobody records in. */
void sdi_histogram_add(sdi_histogram *histogram, const sdi_histogram *other);
uint64_t sdi_histogram_count(const sdi_histogram *histogram);
uint64_t sdi_histogram_sum(const sdi_histogram *histogram);
/* sdi_histogram_below counts the values whose bucket lies wholly at or below `limit`. */
uint64_t sdi_histogram_below(const sdi_histogram *histogram, uint64_t limit);
/* sdi_histogram_quantile is the upper edge of the bucket where the quantile (0..1) falls; 0 when empty. */
uint64_t sdi_histogram_quantile(const sdi_histogram *histogram, double quantile);

#endif
