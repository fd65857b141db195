#include "../unit.h"
#include "base/memory.h"
#include "base/random.h"
#include "cache/memcached/cluster.h"

static sdi_memcached_cluster cluster;

static bool parse(const char *text)
{
    cluster = (sdi_memcached_cluster){0};
    return sdi_memcached_cluster_parse(sdi_slice_of(text), &cluster);
}

static void check_server(size_t index, const char *host, int64_t port)
{
    ck_assert_uint_lt(index, cluster.count);
    ck_assert_str_eq(cluster.addresses[index].host, host);
    ck_assert_int_eq(cluster.addresses[index].port, port);
}

START_TEST(a_list_is_read)
{
    ck_assert(parse("12\nshop.0001.use1.cache.amazonaws.com|10.0.0.1|11211 shop.0002|10.0.0.2|11212\n\r\n"));
    ck_assert_uint_eq(cluster.version, 12);
    ck_assert_uint_eq(cluster.count, 2);
    check_server(0, "shop.0001.use1.cache.amazonaws.com", 11211);
    check_server(1, "shop.0002", 11212);
    sdi_free(cluster.addresses);
}
END_TEST

START_TEST(one_server_without_a_name)
{
    ck_assert(parse("18446744073709551615\r\n|10.0.0.1|11211"));
    ck_assert_uint_eq(cluster.version, UINT64_MAX);
    ck_assert_uint_eq(cluster.count, 1);
    check_server(0, "10.0.0.1", 11211);
    sdi_free(cluster.addresses);
    ck_assert(parse("1\n|2001:db8::7|11211\n"));
    check_server(0, "2001:db8::7", 11211);
    sdi_free(cluster.addresses);
}
END_TEST

START_TEST(anything_else_is_no_list)
{
    static const char *const texts[] = {
        "",
        "\n",
        "12",
        "12\n",
        "12\n\n",
        "0\na|1.2.3.4|1\n",
        "-1\na|1.2.3.4|1\n",
        "12x\na|1.2.3.4|1\n",
        "18446744073709551616\na|1.2.3.4|1\n",
        "\na|1.2.3.4|1\n",
        "12\na|1.2.3.4\n",
        "12\na|1.2.3.4|\n",
        "12\na|1.2.3.4|0\n",
        "12\na|1.2.3.4|65536\n",
        "12\na|1.2.3.4|111111\n",
        "12\na|1.2.3.4|1x\n",
        "12\na|1.2.3.4|9,/2\n",
        "12\n||1\n",
        "12\na|1.2.3.4|1  b|1.2.3.5|1\n",
        "12\na|1.2.3.4|1 b|1.2.3\n",
        "12\na,b|1.2.3.4|1\n",
        "12\n/run/x|1.2.3.4|1\n",
        "12\na]:7|1.2.3.4|1\n",
        "12\na|1.2.3.4|1\nb|1.2.3.5|1\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_msg(!parse(texts[i]), "%s", texts[i]);
        ck_assert(!cluster.addresses && !cluster.version);
    }
    ck_assert(!sdi_memcached_cluster_parse((sdi_slice){"1\na\0b|1.2.3.4|1\n", 16}, &cluster));
}
END_TEST

static void list_of(size_t count, sdi_buffer *text)
{
    sdi_buffer_text(text, "1\n");
    for (size_t i = 0; i < count; i++)
        sdi_buffer_printf(text, "%sh%zu||11211", i ? " " : "", i);
}

START_TEST(a_list_has_its_limits)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    list_of(SDI_MEMCACHED_CLUSTER_MAX, &text);
    ck_assert(parse(text.data));
    ck_assert_uint_eq(cluster.count, SDI_MEMCACHED_CLUSTER_MAX);
    sdi_free(cluster.addresses);
    sdi_buffer_clear(&text);
    list_of(SDI_MEMCACHED_CLUSTER_MAX + 1, &text);
    ck_assert(!parse(text.data));
    sdi_buffer_clear(&text);
    sdi_buffer_text(&text, "1\n");
    for (int i = 0; i < 256; i++)
        sdi_buffer_char(&text, 'h');
    sdi_buffer_text(&text, "||1");
    ck_assert(!parse(text.data));
    sdi_buffer_free(&text);
}
END_TEST

/* The address sanitizer looks on. */
START_TEST(random_bytes_do_no_harm)
{
    static const char bytes[] = "1209|||:. \n\r\nab[],/%-\0";
    for (int i = 0; i < 20000; i++) {
        char text[64];
        size_t length = sdi_random_below(sizeof text);
        for (size_t at = 0; at < length; at++)
            text[at] = bytes[sdi_random_below(sizeof bytes)];
        if (sdi_memcached_cluster_parse((sdi_slice){text, length}, &cluster))
            sdi_free(cluster.addresses);
    }
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, a_list_is_read);
    tcase_add_test(cases, one_server_without_a_name);
    tcase_add_test(cases, anything_else_is_no_list);
    tcase_add_test(cases, a_list_has_its_limits);
    tcase_add_test(cases, random_bytes_do_no_harm);
}

UNIT_MAIN("cache/memcached_cluster", fill, 30)
