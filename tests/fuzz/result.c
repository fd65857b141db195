/* Rows of any bytes: refused, or every cell can be read in every way, and the errors are texts. */
#include "model/result.h"
#include "fuzz.h"

static void read_bytes(const shopdata_result *result, size_t row, size_t column)
{
    size_t length = 0, again = 0;
    shopdata_error *error = NULL;
    int status = shopdata_result_bytes(result, row, column, NULL, 0, &length, &error);
    fuzz_error(status, &error);
    if (status)
        return;
    char *exact = sdi_malloc(length);
    HOLDS(shopdata_result_bytes(result, row, column, exact, length, &again, NULL) == SHOPDATA_OK && again == length);
    sdi_free(exact);
}

static void read_cell(const shopdata_result *result, size_t row, size_t column)
{
    const char *text;
    size_t length;
    int64_t integer;
    double real;
    int truth;
    shopdata_error *error = NULL;
    HOLDS(shopdata_result_text(result, row, column, &text, &length, NULL) == SHOPDATA_OK);
    HOLDS(!text || text[length] == '\0');
    HOLDS(shopdata_result_is_null(result, row, column) == !text);
    fuzz_error(shopdata_result_int64(result, row, column, &integer, &error), &error);
    fuzz_error(shopdata_result_double(result, row, column, &real, &error), &error);
    fuzz_error(shopdata_result_bool(result, row, column, &truth, &error), &error);
    read_bytes(result, row, column);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t offset = sizeof(shopdata_result);
    char *block = sdi_malloc(offset + size);
    HOLDS(block);
    memcpy(block + offset, size ? data : (const uint8_t *)"", size);
    shopdata_result *result = sdi_result_adopt(block, offset, size);
    if (!result) {
        sdi_free(block);
        return 0;
    }
    size_t rows = shopdata_result_rows(result), columns = shopdata_result_columns(result);
    for (size_t column = 0; column < columns; column++)
        HOLDS(shopdata_result_find_column(result, shopdata_result_column_name(result, column)) <= (int)column);
    for (size_t row = 0; columns && row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            read_cell(result, row, column);
    HOLDS(shopdata_result_is_null(result, rows, 0) == SHOPDATA_ERR_RANGE);
    HOLDS(shopdata_result_is_null(result, 0, columns) == SHOPDATA_ERR_RANGE);
    shopdata_result_free(result);
    return 0;
}
