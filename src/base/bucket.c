#include "base/bucket.h"

enum { SECOND = 1000000 };

void sdi_bucket_init(sdi_bucket *bucket, int64_t rate, int64_t now)
{
    *bucket = (sdi_bucket){.rate = rate, .credit = rate * SECOND, .seen = now};
}

bool sdi_bucket_take(sdi_bucket *bucket, int64_t now)
{
    int64_t passed = now - bucket->seen;
    int64_t full = bucket->rate * SECOND;
    if (passed > 0) {
        int64_t gained = passed < SECOND ? passed * bucket->rate : full;
        bucket->credit = bucket->credit < full - gained ? bucket->credit + gained : full;
        bucket->seen = now;
    }
    if (bucket->credit < SECOND)
        return false;
    bucket->credit -= SECOND;
    return true;
}
