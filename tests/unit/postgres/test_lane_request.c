#include <string.h>

#include "../unit.h"
#include "postgres/lane_request.h"

static bool same_bytes(const shopdata_param *param, const char *text)
{
    return param->value.bytes.length == strlen(text) && !memcmp(param->value.bytes.data, text, strlen(text));
}

/* Nothing of the caller's is pointed at: all of it is overwritten before the copy is looked at. */
START_TEST(all_is_copied)
{
    char first[] = "SELECT $1", second[] = "SELECT $1, $2, $3", text[] = "text", bytes[] = "bytes", empty[] = "";
    shopdata_param one[] = {shopdata_text(text)};
    shopdata_param three[] = {shopdata_bytes(bytes, strlen(bytes)), shopdata_int64(7), shopdata_text(empty)};
    sdi_pg_command commands[] = {{.sql = first, .statement = 11, .params = one, .count = 1},
                                 {.sql = second, .statement = 12, .params = three, .count = 3}};
    sdi_lane_request *request = sdi_lane_request_new(commands, 2);
    memset(first, '?', strlen(first));
    memset(second, '?', strlen(second));
    memset(text, '?', strlen(text));
    memset(bytes, '?', strlen(bytes));
    memset(one, 0, sizeof one);
    memset(three, 0, sizeof three);
    const sdi_pg_command *copies = request->commands;
    ck_assert_uint_eq(request->count, 2);
    ck_assert_str_eq(copies[0].sql, "SELECT $1");
    ck_assert_str_eq(copies[1].sql, "SELECT $1, $2, $3");
    ck_assert_uint_eq(copies[0].statement, 11);
    ck_assert_uint_eq(copies[1].statement, 12);
    ck_assert(copies[0].count == 1 && same_bytes(&copies[0].params[0], "text"));
    ck_assert(copies[1].count == 3 && same_bytes(&copies[1].params[0], "bytes"));
    ck_assert_int_eq(copies[1].params[0].kind, SHOPDATA_BYTES);
    ck_assert_int_eq(copies[1].params[1].value.integer, 7);
    ck_assert(same_bytes(&copies[1].params[2], ""));
    sdi_lane_request_free(request);
}
END_TEST

START_TEST(without_parameters)
{
    sdi_pg_command command = {.sql = "SELECT 1", .statement = 11};
    ck_assert_uint_eq(sdi_lane_request_bytes(&command, 1), strlen("SELECT 1") + 1);
    sdi_lane_request *request = sdi_lane_request_new(&command, 1);
    ck_assert_str_eq(request->commands[0].sql, "SELECT 1");
    ck_assert_uint_eq(request->commands[0].count, 0);
    sdi_lane_request_free(request);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, all_is_copied);
    tcase_add_test(cases, without_parameters);
}

UNIT_MAIN("postgres/lane_request", fill, 10)
