/* bucket.h - a token bucket: so many a second in the long run, more at once after a quiet time. Not thread safe. */
#ifndef SDI_BASE_BUCKET_H
#define SDI_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sdi_bucket {
    int64_t rate;   /* a second, at least 1 */
    int64_t full;   /* what may go at once, in millionths */
    int64_t credit; /* in millionths */
    int64_t seen;   /* when it was last asked */
} sdi_bucket;

/* sdi_bucket_init makes a full one: `burst` may go at once. Times are of sdi_now. */
void sdi_bucket_init(sdi_bucket *bucket, int64_t rate, int64_t burst, int64_t now);
/* sdi_bucket_take takes one; false if there is none now. */
bool sdi_bucket_take(sdi_bucket *bucket, int64_t now);

#endif
