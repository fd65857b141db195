#include "fresh/entry.h"

#include <lz4.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model/wire.h"

enum { MAGIC = 0x33456473, CHECKED_FROM = 16, FIXED = 44, ALIGN = 8 };

/* -------------------------------------------------------------------------------------------------------- encoding */

static void pad(sdi_buffer *out, size_t begin)
{
    while (!out->failed && (out->length - begin) % ALIGN)
        sdi_buffer_char(out, '\0');
}

static void put_head(char *entry, size_t length, uint32_t header_length, uint32_t rows_length)
{
    sdi_put_u32(entry + 32, rows_length);
    sdi_put_u32(entry, MAGIC);
    sdi_put_u32(entry + 4, header_length);
    sdi_put_u64(entry + 8, sdi_hash64(entry + CHECKED_FROM, length - CHECKED_FROM) ^ header_length);
}

static void put_header(const shopdata_result *answer, const sdi_entry *entry, sdi_slice identity, sdi_buffer *out)
{
    size_t begin = out->length, name_length = strlen(answer->node);
    sdi_buffer_extend(out, CHECKED_FROM);
    sdi_wire_u64(out, (uint64_t)answer->read_at);
    sdi_wire_u64(out, (uint64_t)entry->expires_at);
    sdi_wire_u32(out, 0); /* the rows' length: see put_head */
    sdi_wire_u32(out, (uint32_t)name_length);
    sdi_wire_u32(out, (uint32_t)identity.length);
    sdi_buffer_append(out, answer->node, name_length);
    sdi_buffer_append(out, identity.data, identity.length);
    sdi_stamp_encode(&entry->stamp, out);
    pad(out, begin);
}

/* Compresses straight into the buffer, into seven eighths of the room: what needs more is not worth it. */
static bool put_compressed(const shopdata_result *answer, sdi_buffer *out)
{
    size_t begin = out->length, room = answer->rows_length - answer->rows_length / 8;
    if (answer->rows_length > LZ4_MAX_INPUT_SIZE || !sdi_buffer_reserve(out, room))
        return false;
    int length =
        LZ4_compress_default((const char *)answer->rows, out->data + begin, (int)answer->rows_length, (int)room);
    if (length > 0)
        sdi_buffer_extend(out, (size_t)length);
    return length > 0;
}

size_t sdi_entry_encode(const shopdata_result *answer, const sdi_entry *entry, sdi_slice identity, size_t compress_over,
                        sdi_buffer *out)
{
    size_t begin = out->length;
    put_header(answer, entry, identity, out);
    size_t rows_at = out->length;
    bool compressed = compress_over && answer->rows_length > compress_over && put_compressed(answer, out);
    if (!compressed)
        sdi_buffer_append(out, answer->rows, answer->rows_length);
    if (!out->failed)
        put_head(out->data + begin, out->length - begin, (uint32_t)(rows_at - begin),
                 compressed ? (uint32_t)answer->rows_length : 0);
    return out->length - rows_at;
}

/* --------------------------------------------------------------------------------------------------------- opening */

/* Where things lie in an entry whose checksum was right. */
typedef struct parts {
    int64_t read_at;
    sdi_slice node, identity;
    size_t rows_at;     /* from the beginning of the entry */
    size_t rows_length; /* decompressed; 0: they stand as they are */
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

static bool find_parts(const char *entry, parts *found, sdi_entry *entry_out)
{
    found->rows_at = sdi_read_u32(entry + 4);
    found->read_at = (int64_t)sdi_read_u64(entry + CHECKED_FROM);
    entry_out->expires_at = (int64_t)sdi_read_u64(entry + 24);
    found->rows_length = sdi_read_u32(entry + 32);
    size_t name_length = sdi_read_u32(entry + 36), identity_length = sdi_read_u32(entry + 40);
    size_t room = found->rows_at - FIXED;
    if (name_length > SDI_NODE_NAME_MAX || identity_length > room || name_length > room - identity_length)
        return false;
    found->node = (sdi_slice){entry + FIXED, name_length};
    found->identity = (sdi_slice){entry + FIXED + name_length, identity_length};
    size_t stamp_at = FIXED + name_length + identity_length;
    return sdi_stamp_decode(entry + stamp_at, found->rows_at - stamp_at, &entry_out->stamp) != 0;
}

/* Into a block of the result's own. The length comes from outside: it is bounded before anything is allocated for it.
 */
static shopdata_result *decompress(const sdi_entry_block *kept, const parts *found)
{
    const char *compressed = kept->block + kept->headroom + found->rows_at;
    size_t length = kept->length - found->rows_at, rows_length = found->rows_length;
    if (rows_length > kept->rows_max || rows_length > LZ4_MAX_INPUT_SIZE || length > LZ4_MAX_INPUT_SIZE)
        return NULL;
    char *block = sdi_malloc(sizeof(shopdata_result) + rows_length);
    if (!block)
        return NULL;
    int made = LZ4_decompress_safe(compressed, block + sizeof(shopdata_result), (int)length, (int)rows_length);
    shopdata_result *answer = NULL;
    if (made == (int)rows_length)
        answer = sdi_result_adopt(block, sizeof(shopdata_result), rows_length);
    if (!answer)
        sdi_free(block);
    return answer;
}

static shopdata_result *adopt(sdi_entry_block *kept, const parts *found)
{
    shopdata_result *answer =
        sdi_result_adopt(kept->block, kept->headroom + found->rows_at, kept->length - found->rows_at);
    if (answer)
        kept->block = NULL;
    return answer;
}

enum sdi_entry_state sdi_entry_open(sdi_entry_block *kept, sdi_slice identity, shopdata_result **answer_out,
                                    sdi_entry *entry_out)
{
    parts found;
    const char *entry = kept->block + kept->headroom;
    enum sdi_entry_state state = check_head(entry, kept->length);
    if (state != SDI_ENTRY_GOOD)
        return state;
    if (!find_parts(entry, &found, entry_out))
        return SDI_ENTRY_DAMAGED;
    if (!sdi_slice_equal(found.identity, identity))
        return SDI_ENTRY_FOREIGN;
    shopdata_result *answer = found.rows_length ? decompress(kept, &found) : adopt(kept, &found);
    if (!answer)
        return SDI_ENTRY_DAMAGED;
    answer->source = SHOPDATA_FROM_CACHE;
    answer->read_at = found.read_at;
    memcpy(answer->node, found.node.data, found.node.length); /* at most SDI_NODE_NAME_MAX bytes: find_parts */
    answer->node[found.node.length] = '\0';
    *answer_out = answer;
    return SDI_ENTRY_GOOD;
}
