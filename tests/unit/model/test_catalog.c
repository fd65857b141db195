#include "../../plans/shop.h"
#include "../unit.h"
#include "base/error.h"
#include "model/catalog_facts.h"

START_TEST(names_go_into_questions_quoted)
{
    sdi_sql *sql =
        shop_sql("SELECT f(a.b), c.\"g\"\"\\\"(1)::\"t{\", 1 OPERATOR(s.<@) 2 FROM \"a,\"\"\\}\", \"null\".x");
    sdi_catalog_question questions[SDI_CATALOG_QUESTIONS];
    ck_assert_int_eq(sdi_catalog_ask(sql, questions, NULL), SHOPDATA_OK);
    ck_assert_uint_eq(questions[0].count, 1);
    ck_assert_str_eq(questions[0].texts[0], "{\"\\\"a,\\\"\\\"\\\\}\\\"\",\"\\\"null\\\".\\\"x\\\"\"}");
    ck_assert_str_eq(questions[2].texts[0], questions[0].texts[0]);
    ck_assert_uint_eq(questions[1].count, 3);
    ck_assert_str_eq(questions[1].texts[0], "{\"o\",\"o\",\"o\",\"o\",\"o\",\"c\",\"f\",\"a\",\"t\",\"f\",\"o\"}");
    ck_assert_str_eq(questions[1].texts[1], "{\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"c\",\"s\"}");
    ck_assert_str_eq(questions[1].texts[2],
                     "{\"=\",\"<\",\">\",\"<=\",\">=\",\"\",\"f\",\"b\",\"\\\"t{\\\"\",\"g\\\"\\\\\",\"<@\"}");
    ck_assert_int_eq(questions[1].params[2].kind, SHOPDATA_TEXT);
    ck_assert_ptr_eq(questions[1].params[2].value.bytes.data, questions[1].texts[2]);
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        sdi_catalog_question_free(&questions[i]);
    sdi_catalog_question_free(&questions[0]);
    sdi_sql_free(sql);
}
END_TEST

START_TEST(no_names_are_an_empty_array)
{
    sdi_sql *sql = shop_sql("SELECT 1");
    sdi_catalog_question questions[SDI_CATALOG_QUESTIONS];
    ck_assert_int_eq(sdi_catalog_ask(sql, questions, NULL), SHOPDATA_OK);
    ck_assert_str_eq(questions[0].texts[0], "{}");
    for (size_t i = 0; i < SDI_CATALOG_QUESTIONS; i++)
        sdi_catalog_question_free(&questions[i]);
    sdi_sql_free(sql);
}
END_TEST

START_TEST(answers_become_relations)
{
    sdi_sql *sql = shop_sql("SELECT count(*) FROM order_lines, nowhere, labels, events_2024");
    sdi_catalog *catalog = shop_catalog(sql);
    ck_assert_uint_eq(catalog->relation_count, 4);
    const sdi_relation *lines = &catalog->relations[0];
    ck_assert(lines->found && lines->kind == 'r' && !lines->family && lines->key_columns == 2);
    ck_assert_str_eq(lines->schema, "shop");
    ck_assert_uint_eq(sdi_relation_column(lines, "line_no")->key, 2);
    ck_assert_int_eq(sdi_relation_column(lines, "line_no")->type, SDI_KEY_INT4);
    ck_assert_uint_eq(sdi_relation_column(lines, "quantity")->key, 0);
    ck_assert_ptr_null(sdi_relation_column(lines, "nothing"));
    ck_assert(!catalog->relations[1].found);
    ck_assert_int_eq(sdi_relation_column(&catalog->relations[2], "label")->type, SDI_KEY_NONE);
    ck_assert_int_eq(sdi_relation_column(&catalog->relations[2], "note")->type, SDI_KEY_TEXT);
    ck_assert(catalog->relations[3].family);
    sdi_catalog_free(catalog);
    sdi_sql_free(sql);
}
END_TEST

/* Rows that answer another question must not be written outside the catalog. */
START_TEST(odd_answers_do_no_harm)
{
    sdi_sql *sql = shop_sql("SELECT * FROM products");
    const char *const ords[] = {"0", "2", "99999999999999999999999", "-1", "x"};
    shopdata_result *answers[SDI_CATALOG_QUESTIONS];
    for (size_t q = 0; q < SDI_CATALOG_QUESTIONS; q++) {
        sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
        sdi_result_column(&builder, "ord", 20);
        sdi_result_column(&builder, "other", 25);
        for (size_t i = 0; i < sizeof ords / sizeof *ords; i++) {
            sdi_result_cell(&builder, ords[i], strlen(ords[i]));
            sdi_result_cell(&builder, NULL, 0);
        }
        answers[q] = sdi_result_build(&builder);
    }
    sdi_catalog *catalog = NULL;
    ck_assert_int_eq(sdi_catalog_read(sql, answers, &catalog, NULL), SHOPDATA_OK);
    ck_assert(!catalog->relations[0].found);
    sdi_catalog_free(catalog);
    sdi_catalog_free(NULL);
    for (size_t q = 0; q < SDI_CATALOG_QUESTIONS; q++)
        shopdata_result_free(answers[q]);
    sdi_sql_free(sql);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, names_go_into_questions_quoted);
    tcase_add_test(cases, no_names_are_an_empty_array);
    tcase_add_test(cases, answers_become_relations);
    tcase_add_test(cases, odd_answers_do_no_harm);
}

UNIT_MAIN("model/catalog", fill, 30)
