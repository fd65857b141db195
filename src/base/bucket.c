#include "base/bucket.h"

enum { ONE = 1000000 }; /* in millionths, and a second in microseconds: so a microsecond gains `rate` */

void sdi_bucket_init(sdi_bucket *bucket, int64_t rate, int64_t burst, int64_t now)
{
    *bucket = (sdi_bucket){.rate = rate, .full = burst * ONE, .credit = burst * ONE, .seen = now};
}

static int64_t gained(const sdi_bucket *bucket, int64_t passed)
{
    int64_t missing = bucket->full - bucket->credit;
    return passed < missing / bucket->rate ? passed * bucket->rate : missing;
}

bool sdi_bucket_take(sdi_bucket *bucket, int64_t now)
{
    if (now > bucket->seen) {
        bucket->credit += gained(bucket, now - bucket->seen);
        bucket->seen = now;
    }
    if (bucket->credit < ONE)
        return false;
    bucket->credit -= ONE;
    return true;
}
