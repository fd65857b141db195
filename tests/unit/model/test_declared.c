#include "../unit.h"
#include "model/declared.h"

static void expect(const char *name, const char *value, int status)
{
    sdi_declared declared = {0};
    shopdata_error *error = NULL;
    ck_assert_msg(sdi_declared_set(&declared, name, value, &error) == status, "%s: %s", name,
                  shopdata_error_message(error));
    ck_assert_uint_eq(declared.count, status == SHOPDATA_OK && value ? 1 : 0);
    shopdata_error_free(error);
    sdi_declared_free(&declared);
}

START_TEST(only_settings_of_the_application_are_taken)
{
    expect("app.tenant", "7", SHOPDATA_OK);
    expect("_a.b_1$.c", "", SHOPDATA_OK);
    expect("app.tenant", NULL, SHOPDATA_OK);
    expect("TimeZone", "UTC", SHOPDATA_ERR_REFUSED);
    expect("role", "admin", SHOPDATA_ERR_REFUSED);
    expect("search_path", "x", SHOPDATA_ERR_REFUSED);
    expect("work_mem", "1GB", SHOPDATA_ERR_REFUSED);
    expect("", "x", SHOPDATA_ERR_ARGUMENT);
    expect("app.", "x", SHOPDATA_ERR_ARGUMENT);
    expect(".tenant", "x", SHOPDATA_ERR_ARGUMENT);
    expect("app..tenant", "x", SHOPDATA_ERR_ARGUMENT);
    expect("app.1", "x", SHOPDATA_ERR_ARGUMENT);
    expect("app.a b", "x", SHOPDATA_ERR_ARGUMENT);
    expect("app.tenant", "\xff", SHOPDATA_ERR_ARGUMENT);
}
END_TEST

START_TEST(names_and_values_are_bounded)
{
    char name[SDI_DECLARED_NAME_MAX + 2] = "a.", value[SDI_DECLARED_VALUE_MAX + 2];
    memset(name + 2, 'b', sizeof name - 3);
    name[sizeof name - 1] = '\0';
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    expect(name, "x", SHOPDATA_ERR_ARGUMENT);
    expect("app.tenant", value, SHOPDATA_ERR_ARGUMENT);
    expect(name, NULL, SHOPDATA_ERR_ARGUMENT);
    name[sizeof name - 2] = value[sizeof value - 2] = '\0';
    expect(name, value, SHOPDATA_OK);
}
END_TEST

START_TEST(a_setting_has_one_value)
{
    sdi_declared declared = {0};
    ck_assert_int_eq(sdi_declared_set(&declared, "App.Tenant", "1", NULL), SHOPDATA_OK);
    ck_assert_int_eq(sdi_declared_set(&declared, "app.region", "x", NULL), SHOPDATA_OK);
    ck_assert_int_eq(sdi_declared_set(&declared, "app.tenant", "2", NULL), SHOPDATA_OK);
    ck_assert_uint_eq(declared.count, 2);
    ck_assert_str_eq(sdi_declared_get(&declared, "APP.tenant"), "2");
    ck_assert_str_eq(declared.command,
                     "SELECT pg_catalog.set_config($1, $2, true), pg_catalog.set_config($3, $4, true)");
    ck_assert_str_eq(declared.params[0].value.bytes.data, "app.tenant");
    ck_assert_str_eq(declared.params[1].value.bytes.data, "2");
    ck_assert_int_eq(sdi_declared_set(&declared, "app.tenant", NULL, NULL), SHOPDATA_OK);
    ck_assert_ptr_null(sdi_declared_get(&declared, "app.tenant"));
    ck_assert_str_eq(declared.params[0].value.bytes.data, "app.region");
    ck_assert_int_eq(sdi_declared_set(&declared, "app.region", NULL, NULL), SHOPDATA_OK);
    ck_assert_ptr_null(declared.command);
    sdi_declared_free(&declared);
}
END_TEST

START_TEST(there_is_room_for_so_many)
{
    sdi_declared declared = {0};
    char name[] = "app.a";
    for (int i = 0; i < SDI_DECLARED_MAX; i++, name[4]++)
        ck_assert_int_eq(sdi_declared_set(&declared, name, "x", NULL), SHOPDATA_OK);
    ck_assert_int_eq(sdi_declared_set(&declared, name, "x", NULL), SHOPDATA_ERR_ARGUMENT);
    name[4]--;
    ck_assert_int_eq(sdi_declared_set(&declared, name, "y", NULL), SHOPDATA_OK);
    sdi_declared_free(&declared);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, only_settings_of_the_application_are_taken);
    tcase_add_test(cases, names_and_values_are_bounded);
    tcase_add_test(cases, a_setting_has_one_value);
    tcase_add_test(cases, there_is_room_for_so_many);
}

UNIT_MAIN("model/declared", fill, 10)
