/* Without memory the cache keeps less, and gives back what it had. */
#include "../../fault/allocation.h"
#include "../unit.h"
#include "base/clock.h"
#include "kit.h"

enum { KEYS = 100 };

/* Everything that allocates, in a cache that grows its index several times. */
static void use(sdi_local *local)
{
    for (uint64_t i = 0; i < KEYS; i++) {
        kit_put_now(local, i, "boots", i);
        shopdata_result *result = kit_get(local, i), *other = kit_get(local, i / 2);
        if (result)
            kit_assert_text(result, "boots");
        shopdata_result_free(other);
        shopdata_result_free(result);
    }
    sdi_local_forget_all(local);
}

static bool lives_without(enum allocation_span span, size_t n)
{
    long before = allocation_live();
    allocation_fail_at(ALLOCATION_OURS, span, n);
    sdi_local *local = sdi_local_new(KIT_ROOM);
    if (local)
        use(local);
    bool failed = allocation_heal();
    if (local) {
        kit_put_now(local, 1, "shoes", 7);
        shopdata_result *result = kit_get(local, 1);
        kit_assert_text(result, "shoes");
        shopdata_result_free(result);
        ck_assert_uint_le(sdi_local_used(local).bytes, KIT_ROOM);
    }
    sdi_local_free(local);
    ck_assert_int_eq(allocation_live(), before);
    return failed;
}

START_TEST(each_allocation_may_fail)
{
    size_t n = 1;
    while (lives_without(ALLOCATION_ONCE, n))
        n++;
    ck_assert_uint_gt(n, 2 * KEYS);
}
END_TEST

START_TEST(memory_may_be_out_for_good)
{
    for (size_t n = 1; lives_without(ALLOCATION_FROM_THERE_ON, n); n++)
        continue;
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, each_allocation_may_fail);
    tcase_add_test(cases, memory_may_be_out_for_good);
}

UNIT_MAIN("local/exhaustion", fill, 30)
