#include "cache/redis/push.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is still to be read of it. */
typedef struct reading {
    const char *bytes;
    size_t length, at;
    size_t open; /* elements */
    sdi_redis_push *push;
} reading;

enum step { WHOLE, CUT, DAMAGED };

/* A line without its end. */
static enum step take_line(reading *r, sdi_slice *line)
{
    const char *begin = r->bytes + r->at;
    const char *end = memchr(begin, '\r', r->length - r->at);
    if (!end || end + 1 == r->bytes + r->length)
        return CUT;
    *line = (sdi_slice){begin, (size_t)(end - begin)};
    r->at += line->length + 2;
    return end[1] == '\n' ? WHOLE : DAMAGED;
}

/* A count of elements or bytes, -1 for nothing. */
static bool read_count(sdi_slice digits, size_t *count_out)
{
    *count_out = 0;
    if (sdi_slice_equal(digits, sdi_slice_of("-1")))
        return true;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || *count_out > SDI_REDIS_PUSH_MAX)
            return false;
        *count_out = *count_out * 10 + (size_t)(digits.data[i] - '0');
    }
    return digits.length > 0 && *count_out <= SDI_REDIS_PUSH_MAX;
}

static void keep(reading *r, sdi_slice part)
{
    if (r->push->count < SDI_REDIS_PUSH_PARTS)
        r->push->parts[r->push->count++] = part;
}

static enum step take_text(reading *r, size_t length)
{
    if (r->length - r->at < length + 2)
        return CUT;
    keep(r, (sdi_slice){r->bytes + r->at, length});
    r->at += length;
    bool ended = memcmp(r->bytes + r->at, "\r\n", 2) == 0;
    r->at += 2;
    return ended ? WHOLE : DAMAGED;
}

static enum step take_element(reading *r)
{
    sdi_slice line;
    size_t count;
    enum step step = take_line(r, &line);
    if (step != WHOLE)
        return step;
    if (line.length == 0 || *line.data == '\0')
        return DAMAGED;
    char type = *line.data;
    sdi_slice rest = {line.data + 1, line.length - 1};
    if (strchr("+-:_#,(", type)) {
        keep(r, rest);
        return WHOLE;
    }
    if (!strchr("$=!*~>%", type) || !read_count(rest, &count))
        return DAMAGED;
    if (strchr("$=!", type))
        return rest.data[0] == '-' ? WHOLE : take_text(r, count);
    r->open += count * (type == '%' ? 2 : 1);
    return WHOLE;
}

size_t sdi_redis_push_read(const char *bytes, size_t length, sdi_redis_push *push_out)
{
    reading r = {.bytes = bytes, .length = length, .open = 1, .push = push_out};
    *push_out = (sdi_redis_push){.type = length ? *bytes : '\0'};
    while (r.open > 0) {
        enum step step = r.at < r.length ? take_element(&r) : CUT;
        if (step == DAMAGED || (step == CUT && length > SDI_REDIS_PUSH_MAX))
            return SIZE_MAX;
        if (step == CUT)
            return 0;
        r.open--;
    }
    return r.at;
}
