#include <stdio.h>

#include "../../plans/plans.h"
#include "../../plans/shop.h"
#include "../unit.h"
#include "base/error.h"

START_TEST(every_statement_is_planned_as_on_a_server)
{
    for (size_t i = 0; i < PLAN_COUNT; i++) {
        if (!plans[i].explained)
            continue;
        sdi_plan *plan = shop_plan(plans[i].sql);
        ck_assert_msg(!strcmp(sdi_plan_explain(plan), plans[i].explained), "%s\nexpected:\n%s\nfound:\n%s",
                      plans[i].sql, plans[i].explained, sdi_plan_explain(plan));
        sdi_plan_free(plan);
    }
}
END_TEST

/* "a b c | d": the tags that always count, and those for an empty answer. */
static void tags_text(const sdi_tags *tags, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tags->count; i++) {
        sdi_slice tag = sdi_tags_at(tags, i);
        const char *before = i == tags->required ? " | " : i ? " " : "";
        length += (size_t)snprintf(text + length, size - length, "%s%.*s", before, (int)tag.length, tag.data);
    }
}

static void expect_tags(const sdi_plan *plan, const shopdata_param *params, size_t count, bool cacheable,
                        const char *expected)
{
    sdi_tags tags = SDI_TAGS_INIT;
    char text[2048];
    ck_assert_int_eq(sdi_plan_tags(plan, params, count, &tags), cacheable);
    ck_assert(!sdi_tags_failed(&tags));
    tags_text(&tags, text, sizeof text);
    ck_assert_str_eq(text, expected);
    sdi_tags_free(&tags);
}

static void expect_call(const char *sql, const shopdata_param *params, size_t count, const char *expected)
{
    sdi_plan *plan = shop_plan(sql);
    expect_tags(plan, params, count, true, expected);
    sdi_plan_free(plan);
}

START_TEST(a_key_has_one_spelling)
{
    const char *sql = "SELECT * FROM products WHERE product_id = $1";
    const char *row = "shop.products/product_id=42 shop.products/* | shop.products";
    const shopdata_param same[] = {shopdata_int64(42), shopdata_text("42"), shopdata_text(" 042\n"),
                                   shopdata_text("+42")};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        expect_call(sql, &same[i], 1, row);
}
END_TEST

START_TEST(a_key_that_cannot_be_spelt_falls_back_to_the_table)
{
    const shopdata_param odd[] = {shopdata_null(),         shopdata_text("4_2"), shopdata_text("0x2a"),
                                  shopdata_double(42),     shopdata_text(""),    shopdata_text("9223372036854775808"),
                                  shopdata_bytes("42", 2), shopdata_text("4 2"), shopdata_text("42.0")};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        expect_call("SELECT * FROM products WHERE product_id = $1", &odd[i], 1, "shop.products");
        expect_call("DELETE FROM products WHERE product_id = $1", &odd[i], 1, "shop.products/* shop.products");
    }
    expect_call("SELECT * FROM products WHERE product_id = $1", NULL, 0, "shop.products");
}
END_TEST

START_TEST(composite_keys_keep_the_order_of_the_primary_key)
{
    const shopdata_param both[] = {shopdata_int64(7), shopdata_int64(1)};
    expect_call("SELECT * FROM order_lines WHERE line_no = $1 AND order_id = $2", both, 2,
                "shop.order_lines/order_id=1,line_no=7 shop.order_lines/* | shop.order_lines");
    const shopdata_param half_bad[] = {shopdata_text("x"), shopdata_int64(1)};
    expect_call("SELECT * FROM order_lines WHERE line_no = $1 AND order_id = $2", half_bad, 2, "shop.order_lines");
}
END_TEST

START_TEST(a_text_cannot_forge_another_tag)
{
    const shopdata_param forged = shopdata_text("a/*,b=c d%");
    expect_call("SELECT * FROM settings WHERE name = $1", &forged, 1,
                "shop.settings/name=a%2F%2A%2Cb%3Dc%20d%25 shop.settings/* | shop.settings");
}
END_TEST

START_TEST(a_shared_integer_is_a_key_only_where_every_number_type_is_exact)
{
    const char *sql = "SELECT * FROM products WHERE product_id = $1 AND price > $1";
    const shopdata_param small = shopdata_int64(1 << 24), large = shopdata_int64((1 << 24) + 1);
    expect_call(sql, &small, 1, "shop.products/product_id=16777216 shop.products/* | shop.products");
    expect_call(sql, &large, 1, "shop.products");
}
END_TEST

START_TEST(a_required_tag_is_not_repeated_for_the_empty_answer)
{
    const shopdata_param params[] = {shopdata_int64(1), shopdata_text("x")};
    expect_call("SELECT * FROM products a, products b WHERE a.product_id = $1 AND b.product_id = $2", params, 2,
                "shop.products/product_id=1 shop.products/* shop.products");
}
END_TEST

START_TEST(words_of_the_clock_keep_a_call_out_of_the_cache)
{
    sdi_plan *plan = shop_plan("SELECT * FROM products WHERE changed > $1");
    const shopdata_param today = shopdata_text(" Today "), epoch = shopdata_text("epoch"),
                         array = shopdata_text("{now}"), known = shopdata_text("you know nowhere");
    expect_tags(plan, &today, 1, false, "shop.products");
    expect_tags(plan, &array, 1, false, "shop.products");
    expect_tags(plan, &epoch, 1, true, "shop.products");
    expect_tags(plan, &known, 1, true, "shop.products");
    sdi_plan_free(plan);
    plan = shop_plan("UPDATE products SET changed = $1");
    expect_tags(plan, &today, 1, true, "shop.products/* shop.products");
    sdi_plan_free(plan);
}
END_TEST

START_TEST(declared_tags_are_added)
{
    const char *const own[] = {"shelf/$1", "price $$ $2"};
    const shopdata_param params[] = {shopdata_int64(5), shopdata_bytes("\x01\xff", 2)};
    sdi_plan *plan = shop_plan_with("SELECT * FROM remote WHERE id = $1 AND note = $2", own, 2);
    ck_assert_int_eq(sdi_plan_kind(plan), SDI_PLAN_CACHED);
    expect_tags(plan, params, 2, true, "shelf/5 price $ 01ff");
    ck_assert_str_eq(sdi_plan_explain(plan), "read, cached\nhangs on shelf/$1, price $$ $2");
    sdi_plan_free(plan);
    plan = shop_plan_with("UPDATE products SET stock = 0 WHERE product_id = $1", own, 1);
    expect_tags(plan, params, 1, true, "shop.products/product_id=5 shop.products shelf/5");
    sdi_plan_free(plan);
}
END_TEST

START_TEST(declared_tags_decide_what_the_sql_does_not_tell)
{
    static const struct {
        const char *sql;
        enum sdi_plan_kind kind;
    } expected[] = {
        {"SELECT * FROM cheap", SDI_PLAN_CACHED},
        {"SELECT * FROM stocks", SDI_PLAN_CACHED},
        {"SELECT * FROM judged", SDI_PLAN_CACHED},
        {"SELECT * FROM remote", SDI_PLAN_CACHED},
        {"SELECT * FROM restocking", SDI_PLAN_WRITE},
        {"INSERT INTO stamped VALUES (1)", SDI_PLAN_WRITE},
        {"SELECT * FROM recent", SDI_PLAN_UNCACHED},
        {"SELECT * FROM locked", SDI_PLAN_PRIMARY},
        {"SELECT stocked(1)", SDI_PLAN_CACHED},
        {"SELECT 1", SDI_PLAN_CACHED},
        {"SELECT restock(product_id) FROM products", SDI_PLAN_WRITE},
        {"UPDATE ruled SET note = ''", SDI_PLAN_WRITE},
        {"INSERT INTO cheap VALUES (1)", SDI_PLAN_WRITE},
        {"CALL p()", SDI_PLAN_WRITE},
        {"DO 'BEGIN END'", SDI_PLAN_WRITE},
        {"SELECT now() FROM products", SDI_PLAN_UNCACHED},
        {"SELECT * FROM products FOR UPDATE", SDI_PLAN_PRIMARY},
        {"SELECT * FROM nowhere", SDI_PLAN_UNCACHED},
        {"EXPLAIN SELECT 1", SDI_PLAN_UNCACHED},
    };
    const char *const own[] = {"mine"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        sdi_plan *plan = shop_plan_with(expected[i].sql, own, 1);
        ck_assert_msg(sdi_plan_kind(plan) == expected[i].kind, "%s: %s", expected[i].sql, sdi_plan_explain(plan));
        ck_assert_int_eq(!*sdi_plan_reason(plan),
                         sdi_plan_kind(plan) == SDI_PLAN_CACHED || sdi_plan_kind(plan) == SDI_PLAN_WRITE);
        sdi_plan_free(plan);
    }
}
END_TEST

START_TEST(a_write_bumps_what_its_sql_tells_and_what_is_declared)
{
    const char *const own[] = {"mine"};
    sdi_plan *plan = shop_plan_with("SELECT restock(product_id) FROM products", own, 1);
    expect_tags(plan, NULL, 0, true, "mine");
    sdi_plan_free(plan);
    plan = shop_plan_with("INSERT INTO products VALUES (restock(1))", own, 1);
    expect_tags(plan, NULL, 0, true, "shop.products/* shop.products mine");
    sdi_plan_free(plan);
}
END_TEST

static bool settings_of(const char *sql, const sdi_declared *declared, sdi_buffer *identity)
{
    const char *const own[] = {"mine"};
    bool opaque = strstr(sql, "stocked") != NULL;
    sdi_plan *plan = shop_plan_with(sql, own, opaque ? 1 : 0);
    bool told = sdi_plan_settings(plan, declared, identity);
    sdi_plan_free(plan);
    return told;
}

/* What an answer depends on is in its identity, and nothing else is: other tenants share the entry. */
START_TEST(settings_that_an_answer_depends_on_are_in_its_identity)
{
    sdi_declared declared = {0};
    sdi_buffer none = SDI_BUFFER_INIT, one = SDI_BUFFER_INIT, all = SDI_BUFFER_INIT;
    ck_assert(!settings_of("SELECT * FROM notes", &declared, &none));
    ck_assert_int_eq(sdi_declared_set(&declared, "app.tenant", "a", NULL), SHOPDATA_OK);
    ck_assert_int_eq(sdi_declared_set(&declared, "app.region", "b", NULL), SHOPDATA_OK);
    ck_assert(settings_of("SELECT * FROM products", &declared, &none));
    ck_assert_uint_eq(none.length, 0);
    ck_assert(settings_of("SELECT * FROM notes", &declared, &one));
    ck_assert(one.length == 13 && !memcmp(one.data, "app.tenant\0a", 13));
    ck_assert(settings_of("SELECT stocked(1) FROM products", &declared, &all));
    ck_assert_uint_eq(all.length, 26);
    sdi_declared_free(&declared);
    sdi_buffer_free(&none);
    sdi_buffer_free(&one);
    sdi_buffer_free(&all);
}
END_TEST

START_TEST(a_plan_with_gaps_is_not_final)
{
    static const struct {
        const char *sql;
        bool final;
    } expected[] = {
        {"SELECT * FROM products", true},
        {"SELECT * FROM nowhere", false},
        {"INSERT INTO nowhere VALUES (1)", false},
        {"SELECT nothing(1)", false},
        {"SELECT 1::nothing", false},
        {"WITH x AS (SELECT 1) SELECT * FROM x", true},
        {"CREATE TABLE fresh (a int)", false},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        sdi_plan *plan = shop_plan(expected[i].sql);
        ck_assert_msg(sdi_plan_is_final(plan) == expected[i].final, "%s", expected[i].sql);
        sdi_plan_free(plan);
    }
}
END_TEST

START_TEST(ddl_changes_the_schema)
{
    static const char *const ddl[] = {"ALTER TABLE products ADD x int", "DROP TABLE products", "CREATE TABLE a (b int)",
                                      "SELECT * INTO a FROM products", "CALL p()"};
    static const char *const others[] = {"TRUNCATE products", "REFRESH MATERIALIZED VIEW summary", "ANALYZE",
                                         "SELECT 1", "EXPLAIN CREATE TABLE a AS SELECT 1"};
    for (size_t i = 0; i < sizeof ddl / sizeof *ddl; i++) {
        sdi_plan *plan = shop_plan(ddl[i]);
        ck_assert_msg(sdi_plan_changes_schema(plan), "%s", ddl[i]);
        sdi_plan_free(plan);
        plan = shop_plan(others[i]);
        ck_assert_msg(!sdi_plan_changes_schema(plan), "%s", others[i]);
        sdi_plan_free(plan);
    }
}
END_TEST

START_TEST(templates_are_checked)
{
    static const struct {
        const char *tag;
        bool good;
    } expected[] = {{"shelf/$1", true}, {"$$", true},    {"a$2b", true},  {"plain", true},
                    {"", false},        {"$3", false},   {"$0", false},   {"$", false},
                    {"a$x", false},     {"a\nb", false}, {"\xff", false}, {"$99999999999999999999", false},
                    {"$1$$$2", true}};
    char longer[SDI_TAG_MAX + 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        shopdata_error *error = NULL;
        int status = sdi_tag_template_check(expected[i].tag, 2, &error);
        ck_assert_msg(status == (expected[i].good ? SHOPDATA_OK : SHOPDATA_ERR_ARGUMENT), "%s", expected[i].tag);
        shopdata_error_free(error);
    }
    ck_assert_int_eq(sdi_tag_template_check(longer, 0, NULL), SHOPDATA_ERR_ARGUMENT);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, every_statement_is_planned_as_on_a_server);
    tcase_add_test(cases, a_key_has_one_spelling);
    tcase_add_test(cases, a_key_that_cannot_be_spelt_falls_back_to_the_table);
    tcase_add_test(cases, composite_keys_keep_the_order_of_the_primary_key);
    tcase_add_test(cases, a_text_cannot_forge_another_tag);
    tcase_add_test(cases, a_shared_integer_is_a_key_only_where_every_number_type_is_exact);
    tcase_add_test(cases, a_required_tag_is_not_repeated_for_the_empty_answer);
    tcase_add_test(cases, words_of_the_clock_keep_a_call_out_of_the_cache);
    tcase_add_test(cases, declared_tags_are_added);
    tcase_add_test(cases, declared_tags_decide_what_the_sql_does_not_tell);
    tcase_add_test(cases, a_write_bumps_what_its_sql_tells_and_what_is_declared);
    tcase_add_test(cases, settings_that_an_answer_depends_on_are_in_its_identity);
    tcase_add_test(cases, a_plan_with_gaps_is_not_final);
    tcase_add_test(cases, ddl_changes_the_schema);
    tcase_add_test(cases, templates_are_checked);
}

UNIT_MAIN("model/plan", fill, 60)
