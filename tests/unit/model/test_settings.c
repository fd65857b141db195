#include "../unit.h"

#include <stdio.h>

#include "model/config.h"
#include "model/settings.h"

static void set(shopdata_config *config, const char *key, const char *value)
{
    shopdata_error *error = NULL;
    ck_assert_msg(!sdi_config_set(config, key, value, &error), "%s", shopdata_error_message(error));
}

static shopdata_config *config_with_node(void)
{
    shopdata_config *config = NULL;
    ck_assert_int_eq(sdi_config_new(&config, NULL), SHOPDATA_OK);
    set(config, "node.a.conninfo", "host=a");
    return config;
}

static sdi_settings *make(shopdata_config *config)
{
    sdi_settings *settings = NULL;
    shopdata_error *error = NULL;
    ck_assert_msg(!sdi_settings_make(config, &settings, &error), "%s", shopdata_error_message(error));
    sdi_config_free(config); /* the settings must not need it */
    return settings;
}

static void check_cache_defaults(const sdi_cache_settings *cache)
{
    ck_assert_int_eq(cache->kind, SDI_CACHE_NONE);
    ck_assert_int_eq(cache->mode, SDI_MODE_FENCED);
    ck_assert_str_eq(cache->addresses[0].host, "127.0.0.1");
    ck_assert_int_eq(cache->addresses[0].port, 6379);
    ck_assert_str_eq(cache->user, "");
    ck_assert_str_eq(cache->password, "");
    ck_assert_str_eq(cache->key_prefix, "shopdata");
    ck_assert_int_eq(cache->timeout_ms, 100);
    ck_assert_int_eq(cache->breaker_open_max_ms, 2000);
    ck_assert_int_eq(cache->memory_bytes, 64 << 20);
}

START_TEST(fills_in_the_defaults)
{
    sdi_settings *settings = make(config_with_node());
    ck_assert_int_eq(settings->deadline_ms, 5000);
    ck_assert_int_eq(settings->max_result_bytes, 64 << 20);
    ck_assert_uint_eq(settings->node_count, 1);
    ck_assert_str_eq(settings->nodes[0].name, "a");
    ck_assert_str_eq(settings->nodes[0].conninfo, "host=a");
    ck_assert_int_eq(settings->nodes[0].weight, 1);
    ck_assert_str_eq(settings->nodes[0].zone, "");
    ck_assert_int_eq(settings->pool.size, 8);
    ck_assert(settings->pool.prepared);
    ck_assert_int_eq(settings->route.wait_for_replica_ms, 20);
    check_cache_defaults(&settings->cache);
    ck_assert_uint_eq(settings->policy_count, 1);
    ck_assert_str_eq(settings->policies[0].name, "default");
    ck_assert_int_eq(settings->policies[0].ttl_ms, 60000);
    sdi_settings_free(settings);
    sdi_settings_free(NULL);
}
END_TEST

START_TEST(takes_what_was_set)
{
    shopdata_config *config = config_with_node();
    set(config, "node.b.conninfo", "host=b");
    set(config, "node.a.weight", "3");
    set(config, "pool.prepared", "off");
    set(config, "cache.kind", "redis");
    set(config, "cache.mode", "ttl");
    set(config, "cache.address", "[2001:db8::7]:7000");
    set(config, "policy.catalog.ttl", "1.5s");
    set(config, "policy.default.jitter", "0");
    set(config, "policy.catalog.ttl", "2m");
    sdi_settings *settings = make(config);
    ck_assert_uint_eq(settings->node_count, 2);
    ck_assert_str_eq(settings->nodes[1].name, "b");
    ck_assert_int_eq(settings->nodes[0].weight, 3);
    ck_assert(!settings->pool.prepared);
    ck_assert_int_eq(settings->cache.kind, SDI_CACHE_REDIS);
    ck_assert_int_eq(settings->cache.mode, SDI_MODE_TTL);
    ck_assert_uint_eq(settings->cache.address_count, 1);
    ck_assert_str_eq(settings->cache.addresses[0].host, "2001:db8::7");
    ck_assert_int_eq(settings->cache.addresses[0].port, 7000);
    ck_assert_uint_eq(settings->policy_count, 2);
    ck_assert_int_eq(sdi_settings_policy(settings, "catalog")->ttl_ms, 120000);
    ck_assert_int_eq(sdi_settings_policy(settings, NULL)->jitter, 0);
    ck_assert_ptr_null(sdi_settings_policy(settings, "nobody"));
    sdi_settings_free(settings);
}
END_TEST

START_TEST(takes_the_path_of_a_socket)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.address", "/run/redis.sock");
    sdi_settings *settings = make(config);
    ck_assert_str_eq(settings->cache.addresses[0].host, "/run/redis.sock");
    ck_assert_int_eq(settings->cache.addresses[0].port, 0);
    sdi_settings_free(settings);
}
END_TEST

START_TEST(takes_a_list_of_addresses)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.address", " cache-1:7000,[::1]:7001 ,\t/run/redis.sock");
    sdi_settings *settings = make(config);
    ck_assert_uint_eq(settings->cache.address_count, 3);
    ck_assert_str_eq(settings->cache.addresses[0].host, "cache-1");
    ck_assert_int_eq(settings->cache.addresses[0].port, 7000);
    ck_assert_str_eq(settings->cache.addresses[1].host, "::1");
    ck_assert_int_eq(settings->cache.addresses[1].port, 7001);
    ck_assert_str_eq(settings->cache.addresses[2].host, "/run/redis.sock");
    ck_assert_int_eq(settings->cache.addresses[2].port, 0);
    sdi_settings_free(settings);
}
END_TEST

START_TEST(reads_the_example_file)
{
    shopdata_config *config = NULL;
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_config_new(&config, NULL), SHOPDATA_OK);
    char path[4096];
    const char *root = getenv("SHOPDATA_SOURCE_ROOT"); /* set by the build */
    snprintf(path, sizeof path, "%s/doc/shopdata.ini.example", root ? root : ".");
    ck_assert_msg(!sdi_config_read_file(config, path, &error), "%s", shopdata_error_message(error));
    sdi_settings *settings = make(config);
    ck_assert_uint_eq(settings->node_count, 3);
    ck_assert_str_eq(settings->cache.password, "change me; #1");
    ck_assert(!sdi_settings_policy(settings, "basket")->cache);
    sdi_settings_free(settings);
}
END_TEST

static void expect_fault(shopdata_config *config, const char *message)
{
    sdi_settings *settings = NULL;
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_settings_make(config, &settings, &error), SHOPDATA_ERR_CONFIG);
    ck_assert_str_eq(shopdata_error_message(error), message);
    ck_assert_ptr_null(settings);
    shopdata_error_free(error);
    sdi_config_free(config);
}

START_TEST(memcached_has_a_port_of_its_own_and_neither_login_nor_tls)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.kind", "memcached");
    sdi_settings *settings = make(config);
    ck_assert_int_eq(settings->cache.addresses[0].port, 11211);
    sdi_settings_free(settings);
    config = config_with_node();
    set(config, "cache.kind", "memcached");
    set(config, "cache.password", "secret");
    expect_fault(config, "cache.password: memcached knows no login here; leave user and password away");
    config = config_with_node();
    set(config, "cache.kind", "memcached");
    set(config, "cache.tls", "on");
    expect_fault(config, "cache.tls: on, but there is no TLS to memcached here; set it off");
}
END_TEST

START_TEST(strict_wants_a_cache_that_takes_marks)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.mode", "strict");
    expect_fault(config, "cache.mode: strict, but there is no cache to keep a promise of; set cache.kind to redis or "
                         "memory, or cache.mode to fenced");
    config = config_with_node();
    set(config, "cache.mode", "strict");
    set(config, "cache.kind", "memcached");
    expect_fault(config, "cache.mode: strict, but on memcached fences cannot be marked; set cache.kind to redis or "
                         "memory, or cache.mode to fenced");
}
END_TEST

START_TEST(discovery_wants_memcached_and_one_endpoint)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.kind", "memcached");
    set(config, "cache.discovery", "on");
    set(config, "cache.address", "a:1,b:1");
    expect_fault(config, "cache.address: there are 2 addresses; discovery wants one, the configuration endpoint");
    config = config_with_node();
    set(config, "cache.discovery", "on");
    expect_fault(config, "cache.discovery: on, but only memcached has it; set cache.kind, or set it off");
}
END_TEST

START_TEST(wants_a_node)
{
    shopdata_config *config = NULL;
    ck_assert_int_eq(sdi_config_new(&config, NULL), SHOPDATA_OK);
    expect_fault(config, "node: there is none; set node.NAME.conninfo");
}
END_TEST

START_TEST(wants_no_more_than_64_nodes)
{
    shopdata_config *config = config_with_node();
    for (int i = 0; i < 64; i++) {
        char key[40];
        snprintf(key, sizeof key, "node.n%d.conninfo", i);
        set(config, key, "host=x");
    }
    expect_fault(config, "node: there are 65 nodes; at most 64");
}
END_TEST

START_TEST(tells_all_faults_at_once)
{
    shopdata_config *config = config_with_node();
    set(config, "node.b.weight", "2");
    set(config, "route.breaker_open", "6s");
    set(config, "cache.breaker_open_max", "1ms");
    set(config, "cache.user", "shop");
    set(config, "cache.kind", "memory");
    set(config, "cache.memory_bytes", "64KiB");
    expect_fault(config, "node.b.conninfo: not set; every node needs one\n"
                         "route.breaker_open: 6s is over route.breaker_open_max, 5s; lower one or raise the other\n"
                         "cache.breaker_open: 200ms is over cache.breaker_open_max, 1ms; lower one or raise the other\n"
                         "cache.user: set without cache.password; set both or neither\n"
                         "cache.max_entry_bytes: over cache.memory_bytes; lower one or raise the other");
}
END_TEST

START_TEST(tells_what_is_wrong_about_tls)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.tls_ca_file", "/ca.pem");
    set(config, "cache.tls_key_file", "/client.key");
    expect_fault(config, "cache.tls: off, but other keys of TLS are set; set it on, or remove them\n"
                         "cache.tls_key_file: set without cache.tls_cert_file; set both or neither");
    config = config_with_node();
    set(config, "cache.tls", "on");
    set(config, "cache.address", "/run/redis.sock");
    set(config, "cache.tls_cert_file", "/client.pem");
    expect_fault(config, "cache.tls_cert_file: set without cache.tls_key_file; set both or neither\n"
                         "cache.tls_server_name: not set; a socket's path (`/run/redis.sock`) has no name to check");
}
END_TEST

START_TEST(tells_what_is_wrong_about_clusters_and_sentinels)
{
    shopdata_config *config = config_with_node();
    set(config, "cache.kind", "redis");
    set(config, "cache.cluster", "on");
    set(config, "cache.sentinel_primary", "shop");
    set(config, "cache.database", "3");
    expect_fault(config, "cache.cluster: on, and cache.sentinel_primary is set; a cluster has no sentinels\n"
                         "cache.database: not 0; a cluster has no other database");
    config = config_with_node();
    set(config, "cache.kind", "memory");
    set(config, "cache.cluster", "on");
    set(config, "cache.sentinel_password", "secret");
    expect_fault(config, "cache.cluster: set, but only redis has it; set cache.kind, or leave it away\n"
                         "cache.sentinel_password: set without cache.sentinel_primary");
}
END_TEST

static void fill(TCase *cases)
{
    tcase_add_test(cases, fills_in_the_defaults);
    tcase_add_test(cases, takes_what_was_set);
    tcase_add_test(cases, takes_the_path_of_a_socket);
    tcase_add_test(cases, takes_a_list_of_addresses);
    tcase_add_test(cases, strict_wants_a_cache_that_takes_marks);
    tcase_add_test(cases, discovery_wants_memcached_and_one_endpoint);
    tcase_add_test(cases, memcached_has_a_port_of_its_own_and_neither_login_nor_tls);
    tcase_add_test(cases, reads_the_example_file);
    tcase_add_test(cases, wants_a_node);
    tcase_add_test(cases, wants_no_more_than_64_nodes);
    tcase_add_test(cases, tells_all_faults_at_once);
    tcase_add_test(cases, tells_what_is_wrong_about_tls);
    tcase_add_test(cases, tells_what_is_wrong_about_clusters_and_sentinels);
}

UNIT_MAIN("model/settings", fill, 30)
