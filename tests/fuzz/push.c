/* What a server says to a connection that listens, any bytes: a piece is read whole or not at all, and its parts lie in
 * it. */
#include "cache/redis/push.h"
#include "fuzz.h"

static void check_parts(const sdi_redis_push *push, const char *bytes, size_t used)
{
    HOLDS(push->count <= SDI_REDIS_PUSH_PARTS);
    for (size_t i = 0; i < push->count; i++)
        HOLDS(push->parts[i].data >= bytes && push->parts[i].data + push->parts[i].length <= bytes + used);
}

static void check_cut(const char *bytes, size_t length)
{
    sdi_redis_push push;
    char *exact = fuzz_exact((sdi_slice){bytes, length});
    HOLDS(sdi_redis_push_read(exact, length, &push) == 0);
    sdi_free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sdi_redis_push push;
    char *exact = fuzz_exact((sdi_slice){(const char *)data, size});
    for (size_t at = 0, used; at < size; at += used) {
        used = sdi_redis_push_read(exact + at, size - at, &push);
        if (used == 0 || used == SIZE_MAX)
            break;
        HOLDS(used <= size - at);
        check_parts(&push, exact + at, used);
        check_cut(exact + at, used - 1);
        check_cut(exact + at, used / 2);
    }
    sdi_free(exact);
    return 0;
}
