#include <string.h>

#include "../unit.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "fresh/entry.h"
#include "model/wire.h"

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

enum { ROWS_MAX = 1 << 20, NEVER_COMPRESS = 0 };

static sdi_buffer encoded_as(const shopdata_result *result, sdi_slice identity, size_t compress_over)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_entry entry = {.stamp = stamp_of(), .expires_at = 7654321};
    sdi_entry_encode(result, &entry, identity, compress_over, &out);
    ck_assert(!out.failed);
    return out;
}

static sdi_buffer encoded(sdi_slice identity)
{
    shopdata_result *result = answer();
    sdi_buffer out = encoded_as(result, identity, NEVER_COMPRESS);
    shopdata_result_free(result);
    return out;
}

static enum sdi_entry_state open_copy(const char *bytes, size_t length, sdi_slice identity, shopdata_result **out,
                                      sdi_entry *entry)
{
    size_t headroom = sizeof(shopdata_result);
    sdi_entry_block kept = {sdi_malloc(headroom + length + 1), headroom, length, ROWS_MAX};
    memcpy(kept.block + headroom, bytes, length);
    enum sdi_entry_state state = sdi_entry_open(&kept, identity, out, entry);
    sdi_free(kept.block);
    return state;
}

START_TEST(what_was_kept_comes_back)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    sdi_buffer entry = encoded(identity);
    shopdata_result *result = NULL;
    sdi_entry about;
    ck_assert_int_eq(open_copy(entry.data, entry.length, identity, &result, &about), SDI_ENTRY_GOOD);
    sdi_slice price;
    ck_assert(sdi_result_at(result, 0, 0, &price));
    ck_assert(sdi_slice_equal(price, sdi_slice_of("12.50")));
    ck_assert_int_eq(result->source, SHOPDATA_FROM_CACHE);
    ck_assert_str_eq(result->node, "replica2");
    ck_assert_int_eq(result->read_at, 1234567);
    ck_assert_int_eq(about.expires_at, 7654321);
    ck_assert_uint_eq(about.stamp.lsn, 4711);
    ck_assert_uint_eq(about.stamp.era.timeline, 3);
    ck_assert_uint_eq(about.stamp.snapshot.running[1], 7);
    shopdata_result_free(result);
    sdi_buffer_free(&entry);
}
END_TEST

START_TEST(another_identity_is_foreign)
{
    sdi_buffer entry = encoded(sdi_slice_of("a question"));
    shopdata_result *result = NULL;
    sdi_entry about;
    ck_assert_int_eq(open_copy(entry.data, entry.length, sdi_slice_of("b question"), &result, &about),
                     SDI_ENTRY_FOREIGN);
    ck_assert_int_eq(open_copy("somebody else's value, long enough to look at", 45, sdi_slice_of("x"), &result, &about),
                     SDI_ENTRY_FOREIGN);
    ck_assert_int_eq(open_copy("", 0, sdi_slice_of("x"), &result, &about), SDI_ENTRY_FOREIGN);
    ck_assert_ptr_null(result);
    sdi_buffer_free(&entry);
}
END_TEST

/* Rows of `cells` texts: random ones, or a few that repeat. */
static shopdata_result *rows_of(size_t cells, bool random)
{
    char text[64];
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "text", 25);
    for (size_t i = 0; i < cells; i++) {
        size_t length = sdi_random_below(sizeof text);
        for (size_t at = 0; at < length; at++)
            text[at] = (char)(random ? sdi_random() : 'a' + sdi_random_below(3));
        sdi_result_cell(&builder, text, length);
    }
    return sdi_result_build(&builder);
}

static void check_same(const shopdata_result *one, const shopdata_result *other)
{
    ck_assert_uint_eq(one->rows_length, other->rows_length);
    ck_assert(!memcmp(one->rows, other->rows, one->rows_length));
}

START_TEST(compressed_rows_come_back)
{
    for (int i = 0; i < 2000; i++) {
        shopdata_result *result = rows_of(sdi_random_below(200), i % 2), *back = NULL;
        sdi_entry about;
        sdi_slice identity = sdi_slice_of("who asked what");
        sdi_buffer plain = encoded_as(result, identity, NEVER_COMPRESS), small = encoded_as(result, identity, 100);
        ck_assert_uint_le(small.length, plain.length);
        if (small.length < plain.length)
            ck_assert_uint_ge((plain.length - small.length) * 8, result->rows_length / 8 * 8);
        if (i % 2 == 0 && result->rows_length > 1000)
            ck_assert_uint_lt(small.length, plain.length);
        ck_assert_int_eq(open_copy(small.data, small.length, identity, &back, &about), SDI_ENTRY_GOOD);
        check_same(result, back);
        ck_assert_int_eq(back->source, SHOPDATA_FROM_CACHE);
        ck_assert_uint_eq(about.stamp.lsn, 4711);
        shopdata_result_free(back);
        shopdata_result_free(result);
        sdi_buffer_free(&plain);
        sdi_buffer_free(&small);
    }
}
END_TEST

START_TEST(little_is_not_compressed)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    shopdata_result *result = rows_of(100, false);
    sdi_buffer plain = encoded_as(result, identity, NEVER_COMPRESS),
               same = encoded_as(result, identity, result->rows_length),
               less = encoded_as(result, identity, result->rows_length - 1);
    ck_assert_uint_eq(same.length, plain.length);
    ck_assert_uint_lt(less.length, plain.length);
    shopdata_result_free(result);
    sdi_buffer_free(&plain);
    sdi_buffer_free(&same);
    sdi_buffer_free(&less);
}
END_TEST

/* Makes the checksum right again, as somebody would who wants the entry to be taken. */
static void seal(sdi_buffer *entry)
{
    uint32_t header_length = sdi_read_u32(entry->data + 4);
    sdi_put_u64(entry->data + 8, sdi_hash64(entry->data + 16, entry->length - 16) ^ header_length);
}

START_TEST(hostile_lengths_are_refused)
{
    static const uint32_t lengths[] = {1, 8, ROWS_MAX, ROWS_MAX + 1, INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX};
    sdi_slice identity = sdi_slice_of("who asked what");
    shopdata_result *rows = rows_of(100, false);
    sdi_buffer entry = encoded_as(rows, identity, 100);
    uint32_t right = sdi_read_u32(entry.data + 32);
    ck_assert_uint_eq(right, rows->rows_length);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths + 2; i++) {
        shopdata_result *result = NULL;
        sdi_entry about;
        sdi_put_u32(entry.data + 32, i < 7 ? lengths[i] : i == 7 ? right - 1 : right + 1);
        seal(&entry);
        ck_assert_int_eq(open_copy(entry.data, entry.length, identity, &result, &about), SDI_ENTRY_DAMAGED);
        ck_assert_ptr_null(result);
    }
    shopdata_result_free(rows);
    sdi_buffer_free(&entry);
}
END_TEST

/* Behind a right checksum anything may stand: it is refused or read, never past its end (the sanitizers look on). */
START_TEST(hostile_entries_do_no_harm)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    for (int i = 0; i < 20000; i++) {
        shopdata_result *rows = rows_of(sdi_random_below(20), i % 2), *result = NULL;
        sdi_entry about;
        sdi_buffer entry = encoded_as(rows, identity, i % 3 ? 100 : NEVER_COMPRESS);
        for (size_t hits = 1 + sdi_random_below(4); hits; hits--)
            entry.data[16 + sdi_random_below(entry.length - 16)] = (char)sdi_random();
        if (sdi_random_below(4) == 0)
            entry.length -= sdi_random_below(entry.length - 44);
        seal(&entry);
        if (open_copy(entry.data, entry.length, identity, &result, &about) == SDI_ENTRY_GOOD) {
            ck_assert(sdi_result_rows_ok(result->rows, result->rows_length));
            shopdata_result_free(result);
        }
        shopdata_result_free(rows);
        sdi_buffer_free(&entry);
    }
}
END_TEST

/* What a version before this one wrote has another magic: a miss, not damage. */
START_TEST(the_old_form_is_foreign)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    sdi_buffer entry = encoded(identity);
    shopdata_result *result = NULL;
    sdi_entry about;
    memcpy(entry.data, "sdE1", 4);
    seal(&entry);
    ck_assert_int_eq(open_copy(entry.data, entry.length, identity, &result, &about), SDI_ENTRY_FOREIGN);
    sdi_buffer_free(&entry);
}
END_TEST

static void check_damage(sdi_buffer *entry, sdi_slice identity)
{
    shopdata_result *result = NULL;
    sdi_entry about;
    for (size_t at = 0; at < entry->length * 8; at++) {
        entry->data[at / 8] = (char)(entry->data[at / 8] ^ 1 << at % 8);
        ck_assert_int_ne(open_copy(entry->data, entry->length, identity, &result, &about), SDI_ENTRY_GOOD);
        entry->data[at / 8] = (char)(entry->data[at / 8] ^ 1 << at % 8);
    }
    for (size_t length = 0; length < entry->length; length++)
        ck_assert_int_ne(open_copy(entry->data, length, identity, &result, &about), SDI_ENTRY_GOOD);
}

START_TEST(any_damage_is_noticed)
{
    sdi_slice identity = sdi_slice_of("who asked what");
    shopdata_result *rows = rows_of(30, false);
    sdi_buffer plain = encoded(identity), compressed = encoded_as(rows, identity, 100);
    check_damage(&plain, identity);
    check_damage(&compressed, identity);
    shopdata_result_free(rows);
    sdi_buffer_free(&plain);
    sdi_buffer_free(&compressed);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_kept_comes_back);
    tcase_add_test(cases, another_identity_is_foreign);
    tcase_add_test(cases, the_old_form_is_foreign);
    tcase_add_test(cases, compressed_rows_come_back);
    tcase_add_test(cases, little_is_not_compressed);
    tcase_add_test(cases, hostile_lengths_are_refused);
    tcase_add_test(cases, hostile_entries_do_no_harm);
    tcase_add_test(cases, any_damage_is_noticed);
}

UNIT_MAIN("fresh/entry", fill, 20)
