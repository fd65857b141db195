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

static enum sdi_entry_state open_copy(sdi_slice entry, shopdata_result **answer, sdi_stamp *stamp)
{
    size_t headroom = sizeof(shopdata_result);
    char *block = sdi_malloc(headroom + entry.length + 1);
    HOLDS(block);
    memcpy(block + headroom, entry.length ? entry.data : "", entry.length);
    block[headroom + entry.length] = '\0';
    enum sdi_entry_state state = sdi_entry_open(block, headroom, entry.length, IDENTITY, answer, stamp);
    if (state != SDI_ENTRY_GOOD)
        sdi_free(block);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shopdata_result *answer = NULL, *again = NULL;
    sdi_stamp stamp, stamp_again;
    if (open_copy((sdi_slice){(const char *)data, size}, &answer, &stamp) != SDI_ENTRY_GOOD)
        return 0;
    walk(answer);
    sdi_buffer entry = SDI_BUFFER_INIT;
    sdi_entry_encode(answer, &stamp, IDENTITY, &entry);
    HOLDS(open_copy(fuzz_slice(&entry), &again, &stamp_again) == SDI_ENTRY_GOOD);
    HOLDS(again->rows_length == answer->rows_length && again->read_at == answer->read_at);
    HOLDS(!memcmp(again->rows, answer->rows, answer->rows_length));
    HOLDS(!strcmp(again->node, answer->node));
    sdi_buffer_free(&entry);
    shopdata_result_free(again);
    shopdata_result_free(answer);
    return 0;
}
