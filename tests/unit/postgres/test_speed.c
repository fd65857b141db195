#include "../unit.h"
#include "postgres/speed.h"

enum { QUICK_US = 100, SLOW_US = 50000, MANY = 20 };

static sdi_pg_speed speed;

static void learn(int times, int64_t took_us)
{
    for (int i = 0; i < times; i++)
        sdi_pg_speed_learn(&speed, took_us);
}

static void begin(void)
{
    speed = (sdi_pg_speed){0};
}

START_TEST(what_was_not_measured_is_not_quick)
{
    begin();
    ck_assert(!sdi_pg_speed_is_quick(&speed));
    learn(1, QUICK_US);
    ck_assert(sdi_pg_speed_is_quick(&speed));
    sdi_pg_speed_forget(&speed);
    ck_assert(!sdi_pg_speed_is_quick(&speed));
    learn(1, 0);
    ck_assert(sdi_pg_speed_is_quick(&speed));
}
END_TEST

START_TEST(a_first_run_that_was_prepared_is_soon_forgotten)
{
    begin();
    learn(1, SLOW_US);
    ck_assert(!sdi_pg_speed_is_quick(&speed));
    learn(MANY, QUICK_US);
    ck_assert(sdi_pg_speed_is_quick(&speed));
}
END_TEST

START_TEST(what_has_become_slow_is_noticed_at_once)
{
    begin();
    learn(MANY, QUICK_US);
    learn(2, SLOW_US);
    ck_assert(!sdi_pg_speed_is_quick(&speed));
}
END_TEST

START_TEST(what_is_slow_every_other_time_is_slow)
{
    begin();
    for (int i = 0; i < MANY; i++) {
        learn(1, QUICK_US);
        learn(1, SLOW_US);
    }
    ck_assert(!sdi_pg_speed_is_quick(&speed));
    learn(1, QUICK_US);
    ck_assert(!sdi_pg_speed_is_quick(&speed));
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, what_was_not_measured_is_not_quick);
    tcase_add_test(cases, a_first_run_that_was_prepared_is_soon_forgotten);
    tcase_add_test(cases, what_has_become_slow_is_noticed_at_once);
    tcase_add_test(cases, what_is_slow_every_other_time_is_slow);
}

UNIT_MAIN("postgres/speed", fill, 10)
