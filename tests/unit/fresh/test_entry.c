#include <string.h>

#include "../unit.h"
#include "base/memory.h"
#include "base/random.h"
#include "fresh/entry.h"

static shopdata_result *answer(void)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "price", 1700);
    sdi_result_cell(&builder, "12.50", 5);
    shopdata_result *result = sdi_result_build(&builder);
    result->source = SHOPDATA_FROM_REPLICA;
    result->read_at = 1234567;
    memcpy(result->node, "replica2", 9);
    return result;
}

static sdi_stamp stamp_of(void)
{
    return (sdi_stamp){.era = {77, 3}, .lsn = 4711, .snapshot = {.xmin = 5, .xmax = 9, .count = 2, .running = {5, 7}}};
}

static sdi_buffer encoded(sdi_slice identity)
{
    sdi_buffer entry = SDI_BUFFER_INIT;
    shopdata_result *result = answer();
    sdi_stamp stamp = stamp_of();
    sdi_entry_encode(result, &stamp, identity, &entry);
    shopdata_result_free(result);
    return entry;
}

static enum sdi_entry_state open_copy(const char *bytes, size_t length, sdi_slice identity, shopdata_result **out,
                                      sdi_stamp *stamp)
{
    size_t headroom = sizeof(shopdata_result);
    char *block = sdi_malloc(headroom + length + 1);
    memcpy(block + headroom, bytes, length);
    enum sdi_entry_state state = sdi_entry_open(block, headroom, length, identity, out, stamp);
    if (state != SDI_ENTRY_GOOD)
        sdi_free(block);
    return state;
}

START_TEST(what_was_kept_comes_back)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    sdi_buffer entry = encoded(identity);
    shopdata_result *result = NULL;
    sdi_stamp stamp;
    ck_assert_int_eq(open_copy(entry.data, entry.length, identity, &result, &stamp), SDI_ENTRY_GOOD);
    sdi_slice price;
    ck_assert(sdi_result_at(result, 0, 0, &price));
    ck_assert(sdi_slice_equal(price, sdi_slice_of("12.50")));
    ck_assert_int_eq(result->source, SHOPDATA_FROM_CACHE);
    ck_assert_str_eq(result->node, "replica2");
    ck_assert_int_eq(result->read_at, 1234567);
    ck_assert_uint_eq(stamp.lsn, 4711);
    ck_assert_uint_eq(stamp.era.timeline, 3);
    ck_assert_uint_eq(stamp.snapshot.running[1], 7);
    shopdata_result_free(result);
    sdi_buffer_free(&entry);
}
END_TEST

START_TEST(another_identity_is_foreign)
{
    sdi_buffer entry = encoded(sdi_slice_of("a question"));
    shopdata_result *result = NULL;
    sdi_stamp stamp;
    ck_assert_int_eq(open_copy(entry.data, entry.length, sdi_slice_of("b question"), &result, &stamp),
                     SDI_ENTRY_FOREIGN);
    ck_assert_int_eq(open_copy("somebody else's value, long enough to look at", 45, sdi_slice_of("x"), &result, &stamp),
                     SDI_ENTRY_FOREIGN);
    ck_assert_int_eq(open_copy("", 0, sdi_slice_of("x"), &result, &stamp), SDI_ENTRY_FOREIGN);
    ck_assert_ptr_null(result);
    sdi_buffer_free(&entry);
}
END_TEST

START_TEST(any_damage_is_noticed)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    sdi_buffer entry = encoded(identity);
    for (size_t at = 0; at < entry.length * 8; at++) {
        shopdata_result *result = NULL;
        sdi_stamp stamp;
        entry.data[at / 8] = (char)(entry.data[at / 8] ^ 1 << at % 8);
        ck_assert_int_ne(open_copy(entry.data, entry.length, identity, &result, &stamp), SDI_ENTRY_GOOD);
        entry.data[at / 8] = (char)(entry.data[at / 8] ^ 1 << at % 8);
    }
    for (size_t length = 0; length < entry.length; length++) {
        shopdata_result *result = NULL;
        sdi_stamp stamp;
        ck_assert_int_ne(open_copy(entry.data, length, identity, &result, &stamp), SDI_ENTRY_GOOD);
    }
    sdi_buffer_free(&entry);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_kept_comes_back);
    tcase_add_test(cases, another_identity_is_foreign);
    tcase_add_test(cases, any_damage_is_noticed);
}

UNIT_MAIN("fresh/entry", fill, 20)
