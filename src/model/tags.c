#include "model/tags.h"

#include "base/hash.h"

void sdi_tags_free(sdi_tags *tags)
{
    sdi_buffer_free(&tags->texts);
    sdi_buffer_free(&tags->ends);
    *tags = (sdi_tags)SDI_TAGS_INIT;
}

static size_t end_of(const sdi_tags *tags, size_t index)
{
    size_t end;
    memcpy(&end, tags->ends.data + index * sizeof end, sizeof end);
    return end;
}

sdi_slice sdi_tags_key(const sdi_tags *tags, size_t index)
{
    size_t begin = index ? end_of(tags, index - 1) : 0;
    return (sdi_slice){tags->texts.data + begin, end_of(tags, index) - begin};
}

sdi_slice sdi_tags_at(const sdi_tags *tags, size_t index)
{
    sdi_slice key = sdi_tags_key(tags, index);
    return (sdi_slice){key.data + tags->prefix.length, key.length - tags->prefix.length};
}

static bool has(const sdi_tags *tags, sdi_slice key)
{
    for (size_t i = 0; i < tags->count; i++)
        if (sdi_slice_equal(sdi_tags_key(tags, i), key))
            return true;
    return false;
}

/* Cutting a character of UTF-8 in two would make the tag unprintable. */
static size_t whole_characters(const char *text, size_t length)
{
    while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* Where the tag that is being made begins: its prefix. */
static size_t begin_of(const sdi_tags *tags)
{
    return tags->count ? end_of(tags, tags->count - 1) : 0;
}

/* Replaces the last tag, which begins there, by its head and a hash of the whole. */
static void shorten(sdi_buffer *texts, size_t begin)
{
    enum { HASH_LENGTH = 33 };
    sdi_hash128 hash = sdi_hash128_of(texts->data + begin, texts->length - begin);
    texts->length = begin + whole_characters(texts->data + begin, SDI_TAG_MAX - HASH_LENGTH);
    sdi_buffer_char(texts, '#');
    sdi_buffer_hex(texts, hash.high, 16);
    sdi_buffer_hex(texts, hash.low, 16);
}

sdi_buffer *sdi_tags_begin(sdi_tags *tags)
{
    sdi_buffer_append(&tags->texts, tags->prefix.data, tags->prefix.length);
    return &tags->texts;
}

void sdi_tags_drop(sdi_tags *tags)
{
    tags->texts.length = begin_of(tags);
}

void sdi_tags_end(sdi_tags *tags)
{
    sdi_buffer *texts = &tags->texts;
    size_t begin = begin_of(tags);
    if (texts->failed)
        return;
    if (texts->length - begin > tags->prefix.length + SDI_TAG_MAX)
        shorten(texts, begin + tags->prefix.length);
    if (has(tags, (sdi_slice){texts->data + begin, texts->length - begin})) {
        sdi_tags_drop(tags);
        return;
    }
    size_t end = texts->length;
    sdi_buffer_append(&tags->ends, &end, sizeof end);
    if (sdi_tags_failed(tags))
        return;
    tags->count++;
    tags->required += !tags->rest_if_empty;
}

void sdi_tags_add(sdi_tags *tags, sdi_slice tag)
{
    sdi_buffer_append(sdi_tags_begin(tags), tag.data, tag.length);
    sdi_tags_end(tags);
}

void sdi_tags_rest_if_empty(sdi_tags *tags)
{
    tags->rest_if_empty = true;
}

bool sdi_tags_failed(const sdi_tags *tags)
{
    return tags->texts.failed || tags->ends.failed;
}
