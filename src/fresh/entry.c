#include "fresh/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "model/wire.h"

enum { MAGIC = 0x31456473, CHECKED_FROM = 16, FIXED = 32, ALIGN = 8 };

static void pad(sdi_buffer *entry, size_t begin)
{
    while (!entry->failed && (entry->length - begin) % ALIGN)
        sdi_buffer_char(entry, '\0');
}

static void put_head(char *entry, size_t length, uint32_t header_length)
{
    sdi_put_u32(entry, MAGIC);
    sdi_put_u32(entry + 4, header_length);
    sdi_put_u64(entry + 8, sdi_hash64(entry + CHECKED_FROM, length - CHECKED_FROM) ^ header_length);
}

void sdi_entry_encode(const shopdata_result *answer, const sdi_stamp *stamp, sdi_slice identity, sdi_buffer *entry)
{
    size_t begin = entry->length, name_length = strlen(answer->node);
    sdi_buffer_extend(entry, CHECKED_FROM);
    sdi_wire_u64(entry, (uint64_t)answer->read_at);
    sdi_wire_u32(entry, (uint32_t)name_length);
    sdi_wire_u32(entry, (uint32_t)identity.length);
    sdi_buffer_append(entry, answer->node, name_length);
    sdi_buffer_append(entry, identity.data, identity.length);
    sdi_stamp_encode(stamp, entry);
    pad(entry, begin);
    size_t header_length = entry->length - begin;
    sdi_buffer_append(entry, answer->rows, answer->rows_length);
    if (!entry->failed)
        put_head(entry->data + begin, entry->length - begin, (uint32_t)header_length);
}

/* Where things lie in an entry whose checksum was right. */
typedef struct parts {
    int64_t read_at;
    sdi_slice node, identity;
    sdi_stamp stamp;
    size_t rows_at;
} parts;

static enum sdi_entry_state check_head(const char *entry, size_t length)
{
    if (length < FIXED || sdi_read_u32(entry) != MAGIC)
        return SDI_ENTRY_FOREIGN;
    uint32_t header_length = sdi_read_u32(entry + 4);
    uint64_t checksum = sdi_hash64(entry + CHECKED_FROM, length - CHECKED_FROM) ^ header_length;
    bool whole = header_length >= FIXED && header_length <= length && checksum == sdi_read_u64(entry + 8);
    return whole ? SDI_ENTRY_GOOD : SDI_ENTRY_DAMAGED;
}

static bool find_parts(const char *entry, parts *found)
{
    found->rows_at = sdi_read_u32(entry + 4);
    found->read_at = (int64_t)sdi_read_u64(entry + CHECKED_FROM);
    size_t name_length = sdi_read_u32(entry + 24), identity_length = sdi_read_u32(entry + 28);
    size_t room = found->rows_at - FIXED;
    if (name_length > SDI_NODE_NAME_MAX || identity_length > room || name_length > room - identity_length)
        return false;
    found->node = (sdi_slice){entry + FIXED, name_length};
    found->identity = (sdi_slice){entry + FIXED + name_length, identity_length};
    size_t stamp_at = FIXED + name_length + identity_length;
    return sdi_stamp_decode(entry + stamp_at, found->rows_at - stamp_at, &found->stamp) != 0;
}

enum sdi_entry_state sdi_entry_open(char *block, size_t headroom, size_t length, sdi_slice identity,
                                    shopdata_result **answer_out, sdi_stamp *stamp_out)
{
    parts found;
    const char *entry = block + headroom;
    enum sdi_entry_state state = check_head(entry, length);
    if (state != SDI_ENTRY_GOOD)
        return state;
    if (!find_parts(entry, &found))
        return SDI_ENTRY_DAMAGED;
    if (!sdi_slice_equal(found.identity, identity))
        return SDI_ENTRY_FOREIGN;
    shopdata_result *answer = sdi_result_adopt(block, headroom + found.rows_at, length - found.rows_at);
    if (!answer)
        return SDI_ENTRY_DAMAGED;
    answer->source = SHOPDATA_FROM_CACHE;
    answer->read_at = found.read_at;
    snprintf(answer->node, sizeof answer->node, "%.*s", (int)found.node.length, found.node.data);
    *stamp_out = found.stamp;
    *answer_out = answer;
    return SDI_ENTRY_GOOD;
}
