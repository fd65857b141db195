#include <string.h>

#include "../unit.h"
#include "fresh/keys.h"

static sdi_buffer identity_of(const char *connection, const char *sql, shopdata_param param)
{
    sdi_hash128 fingerprint;
    sdi_buffer identity = SDI_BUFFER_INIT;
    ck_assert(sdi_fingerprint(connection, sql, (sdi_hash128){0, 0}, &fingerprint));
    sdi_identity(fingerprint, &param, 1, &identity);
    return identity;
}

static int same_entry(sdi_buffer a, sdi_buffer b)
{
    sdi_slice space = sdi_slice_of("shop:db:"), first = {a.data, a.length}, second = {b.data, b.length};
    sdi_buffer first_key = SDI_BUFFER_INIT, second_key = SDI_BUFFER_INIT;
    sdi_entry_key(space, first, &first_key);
    sdi_entry_key(space, second, &second_key);
    int same = sdi_slice_equal(first, second);
    ck_assert_int_eq(same, !strcmp(first_key.data, second_key.data));
    sdi_buffer_free(&first_key);
    sdi_buffer_free(&second_key);
    sdi_buffer_free(&a);
    sdi_buffer_free(&b);
    return same;
}

START_TEST(only_the_same_question_has_the_same_entry)
{
    const char *as_shop = "shop\nshop\n\"$user\", public", *as_admin = "shop\nadmin\n\"$user\", public";
    const char *sql = "SELECT name FROM products WHERE product_id = $1";
    shopdata_param one = shopdata_int64(1), two = shopdata_int64(2);
    ck_assert(same_entry(identity_of(as_shop, sql, one), identity_of(as_shop, sql, shopdata_text("1"))));
    ck_assert(!same_entry(identity_of(as_shop, sql, one), identity_of(as_shop, sql, two)));
    ck_assert(!same_entry(identity_of(as_shop, sql, one), identity_of(as_admin, sql, one)));
    ck_assert(!same_entry(identity_of(as_shop, sql, one), identity_of(as_shop, "SELECT $1", one)));
}
END_TEST

START_TEST(keys_tell_what_they_are)
{
    sdi_buffer space = SDI_BUFFER_INIT, key = SDI_BUFFER_INIT;
    sdi_key_space("shopdata", "shop", &space);
    sdi_fence_key((sdi_slice){space.data, space.length}, sdi_slice_of("public.products/product_id=42"), &key);
    ck_assert_str_eq(key.data, "shopdata:shop:f:public.products/product_id=42");
    sdi_buffer_free(&space);
    sdi_buffer_free(&key);
}
END_TEST

START_TEST(entry_and_lease_stand_side_by_side)
{
    sdi_buffer entry = SDI_BUFFER_INIT, lease = SDI_BUFFER_INIT;
    sdi_entry_key(sdi_slice_of("p:db:"), sdi_slice_of("x"), &entry);
    sdi_lease_key(sdi_slice_of("p:db:"), sdi_slice_of("x"), &lease);
    ck_assert(!strncmp(entry.data, "p:db:e:", 7) && !strncmp(lease.data, "p:db:l:", 7));
    ck_assert_str_eq(entry.data + 7, lease.data + 7);
    sdi_buffer_free(&entry);
    sdi_buffer_free(&lease);
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, only_the_same_question_has_the_same_entry);
    tcase_add_test(cases, keys_tell_what_they_are);
    tcase_add_test(cases, entry_and_lease_stand_side_by_side);
}

UNIT_MAIN("fresh/keys", fill, 10)
