/* Whatever bytes stand in the cache under an entry's key: they are an answer, or none, and never anything else. The
 * checksum says yes to all, so that what is behind it is reached. */
#include "fresh/entry.h"
#include "fuzz.h"

uint64_t __wrap_sdi_hash64(const void *data, size_t length);

uint64_t __wrap_sdi_hash64(const void *data, size_t length)
{
    (void)data;
    (void)length;
    return 0;
}

static const sdi_slice IDENTITY = {"identity", 8};

static enum sdi_entry_state open_copy(sdi_slice bytes, shopdata_result **answer, sdi_entry *entry)
{
    enum { ROWS_MAX = 1 << 16 };
    size_t headroom = sizeof(shopdata_result);
    sdi_entry_block kept = {sdi_malloc(headroom + bytes.length + 1), headroom, bytes.length, ROWS_MAX};
    HOLDS(kept.block);
    memcpy(kept.block + headroom, bytes.length ? bytes.data : "", bytes.length);
    kept.block[headroom + bytes.length] = '\0';
    enum sdi_entry_state state = sdi_entry_open(&kept, IDENTITY, answer, entry);
    sdi_free(kept.block);
    return state;
}

static void walk(const shopdata_result *answer)
{
    HOLDS(strlen(answer->node) <= SDI_NODE_NAME_MAX);
    size_t rows = shopdata_result_rows(answer), columns = shopdata_result_columns(answer);
    for (size_t column = 0; column < columns; column++)
        HOLDS(strlen(shopdata_result_column_name(answer, column)) < answer->rows_length);
    for (size_t row = 0; columns && row < rows; row++)
        for (size_t column = 0; column < columns; column++) {
            sdi_slice text;
            if (sdi_result_at(answer, row, column, &text))
                HOLDS(text.data[text.length] == '\0');
        }
}

static void keep_again(const shopdata_result *answer, const sdi_entry *entry, size_t compress_over)
{
    shopdata_result *again = NULL;
    sdi_entry about;
    sdi_buffer bytes = SDI_BUFFER_INIT;
    sdi_entry_encode(answer, entry, IDENTITY, compress_over, &bytes);
    HOLDS(open_copy(fuzz_slice(&bytes), &again, &about) == SDI_ENTRY_GOOD);
    HOLDS(again->rows_length == answer->rows_length && again->read_at == answer->read_at);
    HOLDS(!memcmp(again->rows, answer->rows, answer->rows_length));
    HOLDS(!strcmp(again->node, answer->node) && about.expires_at == entry->expires_at);
    sdi_buffer_free(&bytes);
    shopdata_result_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shopdata_result *answer = NULL;
    sdi_entry entry;
    if (open_copy((sdi_slice){(const char *)data, size}, &answer, &entry) != SDI_ENTRY_GOOD)
        return 0;
    walk(answer);
    keep_again(answer, &entry, 0);
    keep_again(answer, &entry, 1);
    shopdata_result_free(answer);
    return 0;
}
