/* What the engine prints: JSON, errors by kind, arguments without their secrets; and how it reads a command line. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/unit.h"
#include "errors.h"
#include "options.h"
#include "settings.h"

enum { THREADS = 4, EACH = 5000 };

/* A line of JSON in memory. */
static char *printed;
static size_t printed_length;
static load_json json;

static void open_json(void)
{
    json = (load_json){.file = open_memstream(&printed, &printed_length)};
    load_json_begin(&json, NULL);
}

static void close_json(void)
{
    fclose(json.file);
    free(printed);
}

static void check_printed(const char *expected)
{
    load_json_end(&json);
    ck_assert(load_json_line(&json));
    ck_assert_str_eq(printed, expected);
}

START_TEST(json_has_commas_where_they_belong)
{
    load_json_count(&json, "a", 1);
    load_json_begin(&json, "b");
    load_json_end(&json);
    load_json_begin_array(&json, "c");
    load_json_begin_array(&json, NULL);
    load_json_count(&json, NULL, 2);
    load_json_count(&json, NULL, 3);
    load_json_end_array(&json);
    load_json_text(&json, NULL, "x");
    load_json_end_array(&json);
    load_json_flag(&json, "d", false);
    check_printed("{\"a\":1,\"b\":{},\"c\":[[2,3],\"x\"],\"d\":false}\n");
}
END_TEST

START_TEST(json_escapes_texts_and_keys)
{
    load_json_text(&json, "k\"", "a\"b\\c\n\x01\xc3\xa4");
    check_printed("{\"k\\\"\":\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa4\"}\n");
}
END_TEST

START_TEST(json_has_no_number_that_is_none)
{
    load_json_number(&json, "a", 1.0 / 3, 3);
    load_json_number(&json, "b", (double)INFINITY, 3);
    load_json_number(&json, "c", 2e15, 0);
    check_printed("{\"a\":0.333,\"b\":0.000,\"c\":2000000000000000}\n");
}
END_TEST

/* ---- errors */

START_TEST(errors_have_kinds)
{
    load_errors errors;
    load_errors_init(&errors);
    load_errors_add_call(&errors, SHOPDATA_ERR_TIMEOUT, NULL);
    load_errors_add_call(&errors, SHOPDATA_UNFENCED, NULL);
    load_errors_add(&errors, "sql:40001", "first");
    load_errors_add(&errors, "sql:40001", "second");
    load_errors_write(&errors, &json);
    check_printed("{\"errors\":{\"timeout\":1,\"unfenced\":1,\"sql:40001\":2},"
                  "\"error_samples\":{\"timeout\":\"SHOPDATA_ERR_TIMEOUT\",\"unfenced\":\"SHOPDATA_UNFENCED\","
                  "\"sql:40001\":\"first\"}}\n");
}
END_TEST

START_TEST(errors_of_a_second_are_new_ones)
{
    load_errors errors;
    load_errors_init(&errors);
    load_errors_add(&errors, "busy", "");
    load_errors_write_new(&errors, &json);
    load_errors_add(&errors, "timeout", "");
    load_errors_add(&errors, "timeout", "");
    load_errors_write_new(&errors, &json);
    load_errors_write_new(&errors, &json);
    check_printed("{\"errors\":{\"busy\":1},\"errors\":{\"timeout\":2},\"errors\":{}}\n");
}
END_TEST

START_TEST(errors_of_too_many_kinds_are_not_lost)
{
    load_errors errors;
    char kind[LOAD_ERROR_KIND_TEXT];
    uint64_t count = 0;
    load_errors_init(&errors);
    for (int i = 0; i < 2 * LOAD_ERROR_KINDS; i++) {
        snprintf(kind, sizeof kind, "kind%d", i);
        load_errors_add(&errors, kind, "");
    }
    for (size_t i = 0; i < errors.count; i++)
        count += errors.kinds[i].count;
    ck_assert_uint_eq(count, 2 * LOAD_ERROR_KINDS);
    ck_assert_str_eq(errors.kinds[LOAD_ERROR_KINDS - 1].kind, "other");
    ck_assert_uint_eq(errors.kinds[LOAD_ERROR_KINDS - 1].count, LOAD_ERROR_KINDS + 1);
}
END_TEST

static void *fail_often(void *errors)
{
    for (int i = 0; i < EACH; i++)
        load_errors_add(errors, i % 2 ? "busy" : "timeout", "");
    return NULL;
}

START_TEST(errors_of_threads_are_all_counted)
{
    load_errors errors;
    pthread_t threads[THREADS];
    load_errors_init(&errors);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fail_often, &errors);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(errors.count, 2);
    ck_assert_uint_eq(errors.kinds[0].count + errors.kinds[1].count, THREADS * EACH);
}
END_TEST

/* ---- secrets */

static const char *const arguments_shown[][2] = {
    {"cache.kind=redis", "cache.kind=redis"},
    {"node.p.conninfo=host=db password=x y=z", "node.p.conninfo=(secret)"},
    {"cache.password=x", "cache.password=(secret)"},
    {"--set=cache.password=x", "--set=(secret)"},
    {"--seed=5", "--seed=5"},
    {"measure seconds=5 rate=7", "measure seconds=5 rate=7"},
};

START_TEST(secrets_are_not_shown)
{
    char shown[LOAD_SETTINGS_SHOWN];
    ck_assert_str_eq(load_settings_show(arguments_shown[_i][0], shown), arguments_shown[_i][1]);
}
END_TEST

/* ---- command lines */

struct taken {
    const char *value;
    int switches;
};

static bool take_value(void *into, const char *value, load_fault *fault)
{
    ((struct taken *)into)->value = value;
    return strcmp(value, "wrong") != 0 || load_fail(fault, "a fault of\nits own\n");
}

static bool take_switch(void *into, const char *value, load_fault *fault)
{
    (void)fault;
    ck_assert_ptr_null(value);
    ((struct taken *)into)->switches++;
    return true;
}

static const load_option options[] = {{"value", "V", "", take_value}, {"switch", NULL, "", take_switch}};

static bool read_line(struct taken *taken, const char *one, const char *other, load_fault *fault)
{
    char texts[3][32] = {"command"}, *arguments[] = {texts[0], texts[1], texts[2], NULL};
    int count = 1;
    for (const char *const *given = (const char *const[]){one, other, NULL}; *given; given++, count++)
        snprintf(texts[count], sizeof texts[count], "%s", *given);
    arguments[count] = NULL;
    *taken = (struct taken){NULL, 0};
    bool good = load_options_read(options, 2, count, arguments, taken, fault);
    taken->value = taken->value ? "taken" : NULL;
    return good;
}

START_TEST(options_are_taken)
{
    struct taken taken;
    load_fault fault = {""};
    ck_assert_msg(read_line(&taken, "--value=a=b", "--switch", &fault), "%s", fault.text);
    ck_assert_str_eq(taken.value, "taken");
    ck_assert_int_eq(taken.switches, 1);
    ck_assert_msg(read_line(&taken, "--value", "--switch", &fault), "%s", fault.text);
    ck_assert_int_eq(taken.switches, 0);
}
END_TEST

static const char *const wrong_lines[][3] = {
    {"value", NULL, "`value` is no option; --help lists them"},
    {"--valu", NULL, "there is no option `--valu`; --help lists them"},
    {"--switch", "--value", "--value wants a value: --value V"},
    {"--switch=1", NULL, "--switch takes no value"},
    {"--value=wrong", NULL, "a fault of its own"},
};

START_TEST(a_wrong_command_line_is_told)
{
    struct taken taken;
    load_fault fault;
    ck_assert(!read_line(&taken, wrong_lines[_i][0], wrong_lines[_i][1], &fault));
    ck_assert_str_eq(fault.text, wrong_lines[_i][2]);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_checked_fixture(cases, open_json, close_json);
    tcase_add_test(cases, json_has_commas_where_they_belong);
    tcase_add_test(cases, json_escapes_texts_and_keys);
    tcase_add_test(cases, json_has_no_number_that_is_none);
    tcase_add_test(cases, errors_have_kinds);
    tcase_add_test(cases, errors_of_a_second_are_new_ones);
    tcase_add_test(cases, errors_of_too_many_kinds_are_not_lost);
    tcase_add_test(cases, errors_of_threads_are_all_counted);
    tcase_add_loop_test(cases, secrets_are_not_shown, 0, sizeof arguments_shown / sizeof *arguments_shown);
    tcase_add_test(cases, options_are_taken);
    tcase_add_loop_test(cases, a_wrong_command_line_is_told, 0, sizeof wrong_lines / sizeof *wrong_lines);
}

UNIT_MAIN("bench/telling", fill, 30)
