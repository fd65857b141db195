#include "model/result.h"

#include <string.h>

#include "base/memory.h"
#include "model/wire.h"

enum { HEAD = 8, COLUMN = 8, CELL = 8 };

void sdi_result_column(sdi_result_builder *builder, const char *name, uint32_t type)
{
    sdi_wire_u32(&builder->columns, (uint32_t)builder->texts.length);
    sdi_wire_u32(&builder->columns, type);
    sdi_buffer_append(&builder->texts, name, strlen(name) + 1);
    builder->column_count++;
}

void sdi_result_cell(sdi_result_builder *builder, const char *data, size_t length)
{
    sdi_wire_u32(&builder->cells, (uint32_t)builder->texts.length);
    sdi_wire_u32(&builder->cells, data ? (uint32_t)length : UINT32_MAX);
    if (data) {
        sdi_buffer_append(&builder->texts, data, length);
        sdi_buffer_char(&builder->texts, '\0');
    }
    builder->cell_count++;
}

size_t sdi_result_size(const sdi_result_builder *builder)
{
    return sizeof(shopdata_result) + HEAD + builder->columns.length + builder->cells.length + builder->texts.length;
}

void sdi_result_builder_free(sdi_result_builder *builder)
{
    sdi_buffer_free(&builder->columns);
    sdi_buffer_free(&builder->cells);
    sdi_buffer_free(&builder->texts);
    *builder = (sdi_result_builder)SDI_RESULT_BUILDER_INIT;
}

/* Appends pairs of {text offset, number} at `to`, their offsets counted from the beginning of the rows. */
static unsigned char *move_pairs(unsigned char *to, const sdi_buffer *pairs, uint32_t texts_at)
{
    for (size_t i = 0; i < pairs->length; i += 8) {
        sdi_put_u32(to + i, sdi_read_u32(pairs->data + i) + texts_at);
        memcpy(to + i + 4, pairs->data + i + 4, 4);
    }
    return to + pairs->length;
}

static void lay_out(const sdi_result_builder *builder, unsigned char *rows)
{
    uint32_t row_count = builder->column_count ? (uint32_t)(builder->cell_count / builder->column_count) : 0;
    uint32_t texts_at = (uint32_t)(HEAD + builder->columns.length + builder->cells.length);
    sdi_put_u32(rows, builder->column_count);
    sdi_put_u32(rows + 4, row_count);
    unsigned char *at = move_pairs(rows + HEAD, &builder->columns, texts_at);
    at = move_pairs(at, &builder->cells, texts_at);
    if (builder->texts.length)
        memcpy(at, builder->texts.data, builder->texts.length);
}

static bool build_failed(const sdi_result_builder *builder)
{
    return builder->columns.failed || builder->cells.failed || builder->texts.failed;
}

void sdi_result_lend(shopdata_result *result, const unsigned char *rows, size_t length,
                     void (*release)(shopdata_result *result))
{
    memset(result, 0, sizeof *result);
    atomic_init(&result->references, 1);
    result->rows = rows;
    result->rows_length = length;
    result->release = release;
    result->changed = shopdata_result_rows(result);
}

static shopdata_result *initialise(void *block, size_t offset, size_t length)
{
    shopdata_result *result = block;
    sdi_result_lend(result, (unsigned char *)block + offset, length, NULL);
    return result;
}

shopdata_result *sdi_result_build(sdi_result_builder *builder)
{
    shopdata_result *result = NULL;
    size_t length = sdi_result_size(builder) - sizeof(shopdata_result);
    unsigned char *block =
        build_failed(builder) || length > UINT32_MAX ? NULL : sdi_malloc(sizeof(shopdata_result) + length);
    if (block) {
        lay_out(builder, block + sizeof(shopdata_result));
        result = initialise(block, sizeof(shopdata_result), length);
    }
    sdi_result_builder_free(builder);
    return result;
}

shopdata_result *sdi_result_adopt(void *block, size_t offset, size_t length)
{
    if (!sdi_result_rows_ok((unsigned char *)block + offset, length))
        return NULL;
    return initialise(block, offset, length);
}

static bool text_fits(const unsigned char *rows, size_t length, size_t begin, uint64_t offset, uint64_t text_length)
{
    return offset >= begin && offset + text_length < length && rows[offset + text_length] == '\0';
}

static bool name_fits(const unsigned char *rows, size_t length, size_t begin, uint64_t offset)
{
    return offset >= begin && offset < length && memchr(rows + offset, '\0', length - offset);
}

bool sdi_result_rows_ok(const unsigned char *rows, size_t length)
{
    if (length < HEAD)
        return false;
    uint64_t columns = sdi_read_u32(rows), cells = columns * sdi_read_u32(rows + 4);
    uint64_t most = length / 8; /* neither product nor sum can overflow below it */
    if (columns > most || cells > most || HEAD + columns * COLUMN + cells * CELL > length)
        return false;
    size_t texts_at = (size_t)(HEAD + columns * COLUMN + cells * CELL);
    for (uint64_t i = 0; i < columns; i++)
        if (!name_fits(rows, length, texts_at, sdi_read_u32(rows + HEAD + i * COLUMN)))
            return false;
    const unsigned char *cell = rows + HEAD + columns * COLUMN;
    for (uint64_t i = 0; i < cells; i++, cell += CELL) {
        uint32_t text_length = sdi_read_u32(cell + 4);
        if (text_length != UINT32_MAX && !text_fits(rows, length, texts_at, sdi_read_u32(cell), text_length))
            return false;
    }
    return true;
}

static bool cell_exists(const shopdata_result *result, size_t row, size_t column)
{
    return row < shopdata_result_rows(result) && column < shopdata_result_columns(result);
}

bool sdi_result_at(const shopdata_result *result, size_t row, size_t column, sdi_slice *text)
{
    if (!cell_exists(result, row, column))
        return false;
    size_t columns = shopdata_result_columns(result);
    const unsigned char *cell = result->rows + HEAD + columns * COLUMN + (row * columns + column) * CELL;
    uint32_t length = sdi_read_u32(cell + 4);
    if (length == UINT32_MAX)
        return false;
    *text = (sdi_slice){(const char *)result->rows + sdi_read_u32(cell), length};
    return true;
}

/* What every floor needs to read a result stands here; conversions of cells are on the top floor (api/result.c). */

size_t shopdata_result_rows(const shopdata_result *result)
{
    return result ? sdi_read_u32(result->rows + 4) : 0;
}

size_t shopdata_result_columns(const shopdata_result *result)
{
    return result ? sdi_read_u32(result->rows) : 0;
}

const char *shopdata_result_column_name(const shopdata_result *result, size_t column)
{
    if (column >= shopdata_result_columns(result))
        return "";
    return (const char *)result->rows + sdi_read_u32(result->rows + HEAD + column * COLUMN);
}

uint32_t shopdata_result_column_type(const shopdata_result *result, size_t column)
{
    return column < shopdata_result_columns(result) ? sdi_read_u32(result->rows + HEAD + column * COLUMN + 4) : 0;
}

int shopdata_result_is_null(const shopdata_result *result, size_t row, size_t column)
{
    sdi_slice text;
    if (!cell_exists(result, row, column))
        return SHOPDATA_ERR_RANGE;
    return !sdi_result_at(result, row, column, &text);
}

shopdata_result *shopdata_result_retain(shopdata_result *result)
{
    if (result)
        atomic_fetch_add_explicit(&result->references, 1, memory_order_relaxed);
    return result;
}

/* Who has the only reference need not count down: nobody else can add one. */
static bool drop_reference(shopdata_result *result)
{
    return atomic_load_explicit(&result->references, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(&result->references, 1, memory_order_acq_rel) == 1;
}

void shopdata_result_free(shopdata_result *result)
{
    if (!result || !drop_reference(result))
        return;
    if (result->release)
        result->release(result);
    else
        sdi_free(result);
}
