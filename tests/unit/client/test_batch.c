#include "client/batch.h"

#include <stdio.h>
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "client/lookup.h"

enum { MANY = 300 };

static sdi_core core;

static void open_memory(void)
{
    sdi_cache_settings settings = {.kind = SDI_CACHE_MEMORY, .max_entry_bytes = 1024, .memory_bytes = 1 << 20};
    core.metrics = sdi_metrics_new((sdi_names){NULL, 0}, (sdi_names){NULL, 0});
    ck_assert_int_eq(sdi_cache_open(&settings, core.metrics, &core.cache, NULL), SHOPDATA_OK);
}

static void close_memory(void)
{
    sdi_cache_close(core.cache);
    sdi_metrics_free(core.metrics);
}

static sdi_slice numbered(char *text, size_t size, int i)
{
    return (sdi_slice){text, (size_t)snprintf(text, size, "%d and so on until the buffer has to move", i)};
}

START_TEST(texts_are_found_however_often_their_buffer_moved)
{
    char text[64];
    static sdi_batch sets, gets;
    open_memory();
    ck_assert(sdi_batch_make(&sets, MANY));
    ck_assert(sdi_batch_make(&gets, MANY));
    for (int i = 0; i < MANY; i++) {
        size_t begin = sets.values.length;
        sdi_slice key = numbered(text, sizeof text, i);
        sdi_buffer_append(&sets.keys, key.data, key.length);
        sdi_batch_add(&sets, SDI_CACHE_SET)->ttl_ms = 60000;
        sdi_buffer_append(&sets.values, key.data, key.length);
        sdi_batch_value(&sets, sdi_batch_since(&sets, begin));
        sdi_buffer_append(&gets.keys, key.data, key.length);
        sdi_batch_add(&gets, SDI_CACHE_GET);
    }
    ck_assert(sdi_batch_run(&sets, &core, SDI_NEVER));
    ck_assert(sdi_batch_run(&gets, &core, SDI_NEVER));
    for (int i = 0; i < MANY; i++) {
        sdi_slice wanted = numbered(text, sizeof text, i);
        ck_assert(gets.operations[i].found);
        ck_assert(sdi_slice_equal(wanted, (sdi_slice){gets.operations[i].block, gets.operations[i].length}));
    }
    sdi_batch_free(&sets);
    sdi_batch_free(&gets);
    close_memory();
}
END_TEST

START_TEST(operations_may_share_their_texts)
{
    sdi_batch batch;
    open_memory();
    ck_assert(sdi_batch_make(&batch, 5));
    sdi_buffer_text(&batch.values, "oldnew");
    for (int i = 0; i < 2; i++) {
        sdi_batch_key(&batch, sdi_slice_of(i ? "a" : "b"), SDI_CACHE_ADD)->ttl_ms = 60000;
        sdi_batch_value(&batch, (sdi_span){0, 3});
        sdi_batch_key(&batch, sdi_slice_of(i ? "a" : "b"), SDI_CACHE_SWAP)->ttl_ms = 60000;
        sdi_batch_expected(&batch, (sdi_span){0, 3});
        sdi_batch_value(&batch, sdi_batch_since(&batch, 3));
    }
    sdi_batch_key(&batch, sdi_slice_of("a"), SDI_CACHE_GET);
    ck_assert(sdi_batch_run(&batch, &core, SDI_NEVER));
    ck_assert(batch.operations[1].found && batch.operations[3].found);
    ck_assert_uint_eq(batch.operations[4].length, 3);
    ck_assert(!memcmp(batch.operations[4].block, "new", 3));
    sdi_batch_free(&batch);
    close_memory();
}
END_TEST

START_TEST(nothing_to_do_is_done)
{
    sdi_batch batch;
    ck_assert(sdi_batch_make(&batch, 0));
    ck_assert(sdi_batch_run(&batch, &core, SDI_NEVER));
    sdi_batch_free(&batch);
}
END_TEST

/* A fence could not be had, so the answer is not cached; the lease on it was claimed before that came out. */
START_TEST(a_read_that_left_the_cache_has_room_to_release_its_lease)
{
    sdi_read reads[] = {{.lease = SDI_LEASE_HELD}, {.lease = SDI_LEASE_OVER}, {.cached = true, .tags.count = 2}};
    ck_assert_uint_eq(sdi_read_operations(&reads[0], 1), 1);
    ck_assert_uint_eq(sdi_read_operations(&reads[1], 1), 0);
    ck_assert_uint_ge(sdi_read_operations(&reads[2], 1), 2 + 2 * 2);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, texts_are_found_however_often_their_buffer_moved);
    tcase_add_test(cases, operations_may_share_their_texts);
    tcase_add_test(cases, nothing_to_do_is_done);
    tcase_add_test(cases, a_read_that_left_the_cache_has_room_to_release_its_lease);
}

UNIT_MAIN("client/batch", fill, 20)
