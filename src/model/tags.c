#include "model/tags.h"

#include <inttypes.h>

#include "base/hash.h"

void sdi_tags_free(sdi_tags *tags)
{
    sdi_buffer_free(&tags->texts);
    sdi_buffer_free(&tags->ends);
    *tags = (sdi_tags)SDI_TAGS_INIT;
}

static bool has(const sdi_tags *tags, sdi_slice tag)
{
    for (size_t i = 0; i < tags->count; i++)
        if (sdi_slice_equal(sdi_tags_at(tags, i), tag))
            return true;
    return false;
}

static void append(sdi_tags *tags, sdi_slice tag)
{
    if (has(tags, tag))
        return;
    sdi_buffer_append(&tags->texts, tag.data, tag.length);
    size_t end = tags->texts.length;
    sdi_buffer_append(&tags->ends, &end, sizeof end);
    if (sdi_tags_failed(tags))
        return;
    tags->count++;
    tags->required += !tags->rest_if_empty;
}

/* Cutting a character of UTF-8 in two would make the tag unprintable. */
static size_t whole_characters(sdi_slice text, size_t length)
{
    while (length && ((unsigned char)text.data[length] & 0xc0) == 0x80)
        length--;
    return length;
}

void sdi_tags_add(sdi_tags *tags, sdi_slice tag)
{
    enum { HASH_LENGTH = 33 };
    if (tag.length <= SDI_TAG_MAX) {
        append(tags, tag);
        return;
    }
    sdi_hash128 hash = sdi_hash128_of(tag.data, tag.length);
    sdi_buffer brief = SDI_BUFFER_INIT;
    sdi_buffer_append(&brief, tag.data, whole_characters(tag, SDI_TAG_MAX - HASH_LENGTH));
    sdi_buffer_printf(&brief, "#%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
    if (brief.failed)
        tags->texts.failed = true;
    else
        append(tags, (sdi_slice){brief.data, brief.length});
    sdi_buffer_free(&brief);
}

void sdi_tags_rest_if_empty(sdi_tags *tags)
{
    tags->rest_if_empty = true;
}

static size_t end_of(const sdi_tags *tags, size_t index)
{
    size_t end;
    memcpy(&end, tags->ends.data + index * sizeof end, sizeof end);
    return end;
}

sdi_slice sdi_tags_at(const sdi_tags *tags, size_t index)
{
    size_t begin = index ? end_of(tags, index - 1) : 0;
    return (sdi_slice){tags->texts.data + begin, end_of(tags, index) - begin};
}

bool sdi_tags_failed(const sdi_tags *tags)
{
    return tags->texts.failed || tags->ends.failed;
}
