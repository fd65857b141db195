#include <stdio.h>

#include "../unit.h"
#include "base/map.h"

static sdi_slice key_of(char *room, size_t size, int number)
{
    snprintf(room, size, "key-%d", number);
    return sdi_slice_of(room);
}

START_TEST(keeps_what_was_set)
{
    static int values[5000];
    char room[32];
    sdi_map map = SDI_MAP_INIT;
    for (int i = 0; i < 5000; i++)
        ck_assert(sdi_map_set(&map, key_of(room, sizeof room, i), &values[i]));
    ck_assert_uint_eq(map.used, 5000);
    for (int i = 0; i < 5000; i++)
        ck_assert_ptr_eq(sdi_map_get(&map, key_of(room, sizeof room, i)), &values[i]);
    ck_assert_ptr_null(sdi_map_get(&map, sdi_slice_of("other")));
    sdi_map_free(&map);
}
END_TEST

START_TEST(removing_leaves_the_others_reachable)
{
    static int values[1000];
    char room[32];
    sdi_map map = SDI_MAP_INIT;
    for (int i = 0; i < 1000; i++)
        ck_assert(sdi_map_set(&map, key_of(room, sizeof room, i), &values[i]));
    for (int i = 0; i < 1000; i += 2)
        ck_assert_ptr_eq(sdi_map_remove(&map, key_of(room, sizeof room, i)), &values[i]);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_eq(sdi_map_get(&map, key_of(room, sizeof room, i)), i % 2 ? (void *)&values[i] : NULL);
    sdi_map_free(&map);
}
END_TEST

START_TEST(setting_and_removing_for_ever_does_not_grow_it)
{
    int value;
    char room[32];
    sdi_map map = SDI_MAP_INIT;
    for (int i = 0; i < 100000; i++) {
        ck_assert(sdi_map_set(&map, key_of(room, sizeof room, i), &value));
        ck_assert_ptr_eq(sdi_map_remove(&map, key_of(room, sizeof room, i)), &value);
    }
    ck_assert_uint_le(map.capacity, 64);
    sdi_map_free(&map);
}
END_TEST

START_TEST(walks_every_key_once)
{
    int value;
    char room[32];
    sdi_map map = SDI_MAP_INIT;
    for (int i = 0; i < 100; i++)
        ck_assert(sdi_map_set(&map, key_of(room, sizeof room, i), &value));
    size_t cursor = 0, seen = 0;
    sdi_slice key;
    while (sdi_map_next(&map, &cursor, &key)) {
        ck_assert_ptr_eq(sdi_map_remove(&map, key), &value);
        seen++;
    }
    ck_assert_uint_eq(seen, 100);
    ck_assert_uint_eq(map.used, 0);
    sdi_map_free(&map);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, keeps_what_was_set);
    tcase_add_test(cases, removing_leaves_the_others_reachable);
    tcase_add_test(cases, setting_and_removing_for_ever_does_not_grow_it);
    tcase_add_test(cases, walks_every_key_once);
}

UNIT_MAIN("base/map", fill, 20)
