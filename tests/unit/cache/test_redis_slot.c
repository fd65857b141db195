#include "../unit.h"
#include "cache/redis/slot.h"

START_TEST(slots_are_those_of_redis)
{
    static const struct {
        const char *key;
        uint16_t slot;
    } known[] = {{"123456789", 12739}, {"foo", 12182}, {"bar", 5061}, {"hello", 866}, {"", 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ck_assert_uint_eq(sdi_redis_slot(sdi_slice_of(known[i].key)), known[i].slot);
}
END_TEST

START_TEST(a_tag_decides_unless_it_is_empty)
{
    static const char *const same[][2] = {
        {"{user1000}.following", "user1000"}, {"a{b}c{d}", "b"}, {"foo{{bar}}zap", "{bar"}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        ck_assert_uint_eq(sdi_redis_slot(sdi_slice_of(same[i][0])), sdi_redis_slot(sdi_slice_of(same[i][1])));
    ck_assert_uint_eq(sdi_redis_slot(sdi_slice_of("foo{}{bar}")), 8363);
    ck_assert_uint_ne(sdi_redis_slot(sdi_slice_of("foo{bar")), sdi_redis_slot(sdi_slice_of("bar")));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, slots_are_those_of_redis);
    tcase_add_test(cases, a_tag_decides_unless_it_is_empty);
}

UNIT_MAIN("cache/redis_slot", fill, 10)
