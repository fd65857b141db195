#include <string.h>

#include "../unit.h"
#include "model/clock_words.h"
#include "model/tags.h"

START_TEST(tags_stand_once_and_in_order)
{
    sdi_tags tags = SDI_TAGS_INIT;
    sdi_tags_add(&tags, sdi_slice_of("a/1"));
    sdi_tags_add(&tags, sdi_slice_of("a/*"));
    sdi_tags_add(&tags, sdi_slice_of("a/1"));
    sdi_tags_rest_if_empty(&tags);
    sdi_tags_add(&tags, sdi_slice_of("a/*"));
    sdi_tags_add(&tags, sdi_slice_of("a"));
    ck_assert_uint_eq(tags.count, 3);
    ck_assert_uint_eq(tags.required, 2);
    ck_assert(sdi_slice_equal(sdi_tags_at(&tags, 0), sdi_slice_of("a/1")));
    ck_assert(sdi_slice_equal(sdi_tags_at(&tags, 1), sdi_slice_of("a/*")));
    ck_assert(sdi_slice_equal(sdi_tags_at(&tags, 2), sdi_slice_of("a")));
    ck_assert(!sdi_tags_failed(&tags));
    sdi_tags_free(&tags);
    ck_assert_uint_eq(tags.count, 0);
    sdi_tags_add(&tags, sdi_slice_of("b"));
    ck_assert_uint_eq(tags.count, 1);
    ck_assert_uint_eq(tags.required, 1);
    sdi_tags_free(&tags);
}
END_TEST

START_TEST(long_tags_are_shortened_and_stay_different)
{
    char text[2000];
    sdi_tags tags = SDI_TAGS_INIT;
    memset(text, 'x', sizeof text);
    memcpy(text + SDI_TAG_MAX - 34, "\xc3\xbc", 2); /* the cut falls into this letter */
    sdi_tags_add(&tags, (sdi_slice){text, SDI_TAG_MAX});
    sdi_tags_add(&tags, (sdi_slice){text, SDI_TAG_MAX + 1});
    sdi_tags_add(&tags, (sdi_slice){text, SDI_TAG_MAX + 2});
    sdi_tags_add(&tags, (sdi_slice){text, SDI_TAG_MAX + 1});
    ck_assert_uint_eq(tags.count, 3);
    ck_assert_uint_eq(sdi_tags_at(&tags, 0).length, SDI_TAG_MAX);
    ck_assert_uint_eq(sdi_tags_at(&tags, 1).length, SDI_TAG_MAX - 1);
    ck_assert_int_eq(sdi_tags_at(&tags, 1).data[SDI_TAG_MAX - 34], '#');
    sdi_tags_free(&tags);
}
END_TEST

START_TEST(words_of_the_clock)
{
    static const char *const yes[] = {"now",        " TODAY ", "{now}",  "[yesterday,tomorrow)",
                                      "12:00today", "today12", "buy now"};
    static const char *const no[] = {"",           "nowhere",     "know",  "epoch", "infinity",
                                     "n\xc3\xb6w", "now\xc3\xbc", "now_x", "snow"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        ck_assert_msg(sdi_says_clock(sdi_slice_of(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        ck_assert_msg(!sdi_says_clock(sdi_slice_of(no[i])), "%s", no[i]);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, tags_stand_once_and_in_order);
    tcase_add_test(cases, long_tags_are_shortened_and_stay_different);
    tcase_add_test(cases, words_of_the_clock);
}

UNIT_MAIN("model/tags", fill, 30)
