#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/config.h"

static char folder[] = "/tmp/shopdata-config-XXXXXX";

static shopdata_config *new_config(void)
{
    shopdata_config *config = NULL;
    ck_assert_int_eq(sdi_config_new(&config, NULL), SHOPDATA_OK);
    return config;
}

static const char *value_of(const shopdata_config *config, enum sdi_section_kind section, const char *name,
                            const char *key)
{
    const sdi_config_entry *entry =
        sdi_config_find(config, section, sdi_slice_of(name), sdi_find_key(section, sdi_slice_of(key)));
    return entry ? entry->value : NULL;
}

static const struct {
    const char *key, *value;
} good_values[] = {
    {"shopdata.deadline", "1ms"},
    {"shopdata.deadline", "24h"},
    {"shopdata.deadline", "1.5s"},
    {"shopdata.deadline", "0.0009765625d"},
    {"shopdata.deadline", "5 s"},
    {"shopdata.max_result_bytes", "1024"},
    {"shopdata.max_result_bytes", "1.5MiB"},
    {"shopdata.max_result_bytes", "1GiB"},
    {"shopdata.max_result_bytes", "0.0009765625GiB"},
    {"node.db-1_A.conninfo", "host=/run options='-c x=1 ; # y'"},
    {"node.a.zone", ""},
    {"pool.wait_limit", "0"},
    {"pool.prepared", "off"},
    {"cache.kind", "redis"},
    {"cache.address", "localhost:1"},
    {"cache.address", "[::1]:65535"},
    {"cache.address", "/run/redis.sock"},
    {"cache.address", "a:1, [::1]:2,/run/s"},
    {"cache.key_prefix", "shop:{eu}"},
    {"cache.memory_bytes", "2000000000"},
    {"policy.catalog.jitter", "50%"},
    {"policy.catalog.ttl", "30d"},
};

START_TEST(takes_good_values)
{
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    int status = sdi_config_set(config, good_values[_i].key, good_values[_i].value, &error);
    ck_assert_msg(status == SHOPDATA_OK, "%s", shopdata_error_message(error));
    sdi_config_free(config);
}
END_TEST

static const struct {
    const char *key, *value, *message;
} bad_values[] = {
    {"shopdata.deadline", "250", "shopdata.deadline: `250` has no unit; add a unit: 250ms"},
    {"shopdata.deadline", "soon",
     "shopdata.deadline: `soon` is not a duration; write a number and a unit (ms, s, m, h or d): 250ms"},
    {"shopdata.deadline", "-5s",
     "shopdata.deadline: `-5s` is not a duration; write a number and a unit (ms, s, m, h or d): 250ms"},
    {"shopdata.deadline", "5sec", "shopdata.deadline: `5sec` has an unknown unit; the units are ms, s, m, h and d"},
    {"shopdata.deadline", "1.5ms",
     "shopdata.deadline: `1.5ms` is not a whole number of milliseconds; write it in a smaller unit"},
    {"shopdata.deadline", "0.00000000001d",
     "shopdata.deadline: `0.00000000001d` is not a whole number of milliseconds; write it in a smaller unit"},
    {"shopdata.deadline", "2d", "shopdata.deadline: `2d` is out of range; from 1ms to 24h"},
    {"shopdata.deadline", "99999999999999999999999999d",
     "shopdata.deadline: `99999999999999999999999999d` is out of range; from 1ms to 24h"},
    {"shopdata.deadline", "",
     "shopdata.deadline: `` is not a duration; write a number and a unit (ms, s, m, h or d): 250ms"},
    {"shopdata.max_result_bytes", "64k", "shopdata.max_result_bytes: `64k` has an unknown unit; write 64KiB"},
    {"shopdata.max_result_bytes", "64MB", "shopdata.max_result_bytes: `64MB` has an unknown unit; write 64MiB"},
    {"shopdata.max_result_bytes", "64x",
     "shopdata.max_result_bytes: `64x` has an unknown unit; the units are B, KiB, MiB and GiB"},
    {"shopdata.max_result_bytes", "0.3B",
     "shopdata.max_result_bytes: `0.3B` is not a whole number of bytes; write it in a smaller unit"},
    {"shopdata.max_result_bytes", "0.9999999999GiB",
     "shopdata.max_result_bytes: `0.9999999999GiB` is not a whole number of bytes; write it in a smaller unit"},
    {"shopdata.max_result_bytes", "999999999999999GiB",
     "shopdata.max_result_bytes: `999999999999999GiB` is out of range; from 1KiB to 1GiB"},
    {"shopdata.max_result_bytes", "9223372036854775808",
     "shopdata.max_result_bytes: `9223372036854775808` is out of range; from 1KiB to 1GiB"},
    {"node.a.weight", "0", "node.a.weight: `0` is out of range; from 1 to 1000"},
    {"node.a.weight", "1.0", "node.a.weight: `1.0` is not a whole number; write digits only"},
    {"node.a.weight", "many", "node.a.weight: `many` is not a whole number; write digits only"},
    {"node.a.conninfo", "", "node.a.conninfo: the value is empty; write at least 1 byte"},
    {"pool.prepared", "yes", "pool.prepared: `yes` is neither on nor off; write on or off"},
    {"cache.kind", "rediss", "cache.kind: `rediss` is not a choice; write none, memory, redis or memcached"},
    {"cache.mode", "fences", "cache.mode: `fences` is not a choice; write ttl, fenced or strict"},
    {"cache.address", "localhost",
     "cache.address: `localhost` is not an address; write host:port, [IPv6]:port or the /path of a socket, with commas "
     "between"},
    {"cache.address", "::1:6379",
     "cache.address: `::1:6379` is not an address; write host:port, [IPv6]:port or the /path of a socket, with commas "
     "between"},
    {"cache.address", "[::1:6379",
     "cache.address: `[::1:6379` is not an address; write host:port, [IPv6]:port or the /path of a socket, with commas "
     "between"},
    {"cache.address", "h:65536",
     "cache.address: `h:65536` is not an address; write host:port, [IPv6]:port or the /path of a socket, with commas "
     "between"},
    {"cache.address", "a:1,",
     "cache.address: `` is not an address; write host:port, [IPv6]:port or the /path of a socket, with commas between"},
    {"cache.address", "a:1, b, /run/s, c:0,a b:1",
     "cache.address: `b`, `c:0`, `a b:1` are not addresses; write host:port, [IPv6]:port or the /path of a socket, "
     "with "
     "commas between"},
    {"cache.key_prefix", "a b",
     "cache.key_prefix: `a b` has a blank or a special character; write printable ASCII without blanks"},
    {"cache.key_prefix", "\xC3\xA4",
     "cache.key_prefix: `\xC3\xA4` has a blank or a special character; write printable ASCII without blanks"},
    {"policy.a.jitter", "51", "policy.a.jitter: `51` is out of range; from 0 to 50"},
    {"policy.a.tll", "1s", "policy.a.tll: unknown key `tll`; did you mean `ttl`?"},
    {"policy.a.colour", "1s",
     "policy.a.colour: unknown key `colour`; the keys are `cache`, `local`, `ttl`, `jitter`, `negative_ttl`, `stale`, "
     "`stale_overtaken`, `lease`, `max_bytes` and `compress_over`"},
    {"cahce.kind", "none", "cahce.kind: unknown section `cahce`; did you mean `cache`?"},
    {"deadline", "1s", "deadline: `deadline` is not a key; write section.key, node.NAME.key or policy.NAME.key"},
    {"node..conninfo", "x", "node..conninfo: `` is not a name; write 1 to 31 letters, digits, - and _"},
    {"node.conninfo", "x", "node.conninfo: unknown key ``; the keys are `conninfo`, `weight` and `zone`"},
    {"node.a b.zone", "x", "node.a b.zone: `a b` is not a name; write 1 to 31 letters, digits, - and _"},
    {"node.n2345678901234567890123456789012.zone", "x",
     "node.n2345678901234567890123456789012.zone: `n2345678901234567890123456789012` is not a name; write 1 to 31 "
     "letters, digits, - and _"},
    {"\x1b[2J.x", "x",
     "?[2J.x: unknown section `?[2J`; the sections are `shopdata`, `node`, `pool`, `route`, `cache`, `local`, "
     "`policy` and `async`"},
};

START_TEST(tells_what_is_wrong_with_a_value)
{
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_config_set(config, bad_values[_i].key, bad_values[_i].value, &error), SHOPDATA_ERR_CONFIG);
    ck_assert_str_eq(shopdata_error_message(error), bad_values[_i].message);
    ck_assert_uint_eq(sdi_config_count(config), 0);
    shopdata_error_free(error);
    sdi_config_free(config);
}
END_TEST

START_TEST(refuses_what_no_call_can_mean)
{
    shopdata_config *config = new_config();
    ck_assert_int_eq(sdi_config_set(NULL, "a", "b", NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(sdi_config_set(config, NULL, "b", NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(sdi_config_set(config, "route.zone", NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(sdi_config_set(config, "route.zone", "\xff", NULL), SHOPDATA_ERR_ARGUMENT);
    ck_assert_int_eq(sdi_config_read_file(config, NULL, NULL), SHOPDATA_ERR_ARGUMENT);
    sdi_config_free(config);
    sdi_config_free(NULL);
}
END_TEST

static const char *write_file(const char *data, size_t length)
{
    static char path[sizeof folder + 8];
    snprintf(path, sizeof path, "%s/f.ini", folder);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, length, file), length);
    fclose(file);
    return path;
}

static int read_text(shopdata_config *config, const char *data, size_t length, shopdata_error **error_out)
{
    return sdi_config_read_file(config, write_file(data, length), error_out);
}

START_TEST(reads_a_file)
{
    static const char text[] = "\xEF\xBB\xBF# comment\r\n"
                               "[shopdata]\r\n\tdeadline = 2s \r\n; another\r\n\r\n"
                               "[node  primary ]\nconninfo = host=a password='x ; # y'\n"
                               "[cache]\npassword = \" \\\"\\\\ \"\nuser=\n"
                               "[policy empty]\n[node primary]\nweight=2";
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    ck_assert_msg(!read_text(config, text, sizeof text - 1, &error), "%s", shopdata_error_message(error));
    ck_assert_str_eq(value_of(config, SDI_SECTION_SHOPDATA, "", "deadline"), "2s");
    ck_assert_str_eq(value_of(config, SDI_SECTION_NODE, "primary", "conninfo"), "host=a password='x ; # y'");
    ck_assert_str_eq(value_of(config, SDI_SECTION_NODE, "primary", "weight"), "2");
    ck_assert_str_eq(value_of(config, SDI_SECTION_CACHE, "", "password"), " \"\\ ");
    ck_assert_str_eq(value_of(config, SDI_SECTION_CACHE, "", "user"), "");
    ck_assert_ptr_nonnull(sdi_config_find(config, SDI_SECTION_POLICY, sdi_slice_of("empty"), NULL));
    ck_assert_int_eq(read_text(config, text, sizeof text - 1, NULL), SHOPDATA_OK); /* again: no repetition */
    sdi_config_free(config);
}
END_TEST

#define TEXT(text) text, sizeof text - 1
static const struct {
    const char *text;
    size_t length;
    const char *message; /* each @ stands for the file */
} bad_files[] = {
    {TEXT("[policy a]\ntll = 1s\n"), "@:2: unknown key `tll`; did you mean `ttl`?"},
    {TEXT("[policy a]\nttl = 1\n"), "@:2: policy.a.ttl: `1` has no unit; add a unit: 1ms"},
    {TEXT("[pool]\nsize=1\n[route]\n[pool]\nsize=1\n"), "@:5: pool.size: set twice, on line 2 and here; remove one"},
    {TEXT("[nodes a]\nx=1\ny\n"), "@:1: unknown section `nodes`; did you mean `node`?"},
    {TEXT("[node]\n"), "@:1: [node] has no name; write [node NAME]"},
    {TEXT("[node a b]\n"), "@:1: `a b` is not a name; write 1 to 31 letters, digits, - and _"},
    {TEXT("[pool x]\n"), "@:1: [pool] takes no name; write [pool]"},
    {TEXT("[pool\n"), "@:1: the section has no end; write [section] or [section NAME] alone on a line"},
    {TEXT("["), "@:1: the section has no end; write [section] or [section NAME] alone on a line"},
    {TEXT("[]"),
     "@:1: unknown section ``; the sections are `shopdata`, `node`, `pool`, `route`, `cache`, `local`, `policy` and "
     "`async`"},
    {TEXT("size=1\n"), "@:1: the key stands before any section; write [section] above it"},
    {TEXT("[pool]\nsize 4\n"), "@:2: there is no `=`; write key = value, [section], or # before a comment"},
    {TEXT("[pool]\n=4\n"), "@:2: unknown key ``; the keys are `size`, `wait_limit`, `wait_timeout`, `connect_timeout`, "
                           "`prepared`, `busy_poll` and `shared`"},
    {TEXT("[cache]\npassword = \"geheim\n"),
     "@:2: cache.password: the quote is not closed; end the value with \", and write \\\" for a quote inside"},
    {TEXT("[cache]\npassword = \"geheim\\\n"),
     "@:2: cache.password: only \\\" and \\\\ may stand in quotes; write \\\\ for a backslash"},
    {TEXT("[cache]\npassword = \"geh\"eim\n"),
     "@:2: cache.password: there is text behind the closing quote; write \\\" for a quote inside"},
    {TEXT("[pool]\nsi\0ze=1\n"), "@:2: byte 3 is a zero byte; remove it"},
    {TEXT("[route]\nzone=\xE4\n"), "@:2: byte 6 is not UTF-8; save the file as UTF-8"},
    {TEXT("[pool]\nsize=0\n[cache]\nkind=x\n"),
     "@:2: pool.size: `0` is out of range; from 1 to 1000\n"
     "@:4: cache.kind: `x` is not a choice; write none, memory, redis or memcached"},
};

static void expect(const char *message, const char *pattern, const char *file)
{
    char wanted[1024] = "";
    size_t length = 0;
    for (; *pattern; pattern++) {
        if (*pattern == '@')
            length += (size_t)snprintf(wanted + length, sizeof wanted - length, "%s", file);
        else
            wanted[length++] = *pattern;
        wanted[length] = 0;
    }
    ck_assert_str_eq(message, wanted);
}

START_TEST(tells_what_is_wrong_with_a_file)
{
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_config_set(config, "pool.wait_limit", "7", NULL), SHOPDATA_OK);
    ck_assert_int_eq(read_text(config, bad_files[_i].text, bad_files[_i].length, &error), SHOPDATA_ERR_CONFIG);
    expect(shopdata_error_message(error), bad_files[_i].message, write_file("", 0));
    ck_assert_uint_eq(sdi_config_count(config), 2); /* the section and its key, as before */
    shopdata_error_free(error);
    sdi_config_free(config);
}
END_TEST

START_TEST(bounds_the_faults_it_tells)
{
    static char text[2 * 100 + 1];
    for (size_t i = 0; i < 100; i++)
        snprintf(text + 2 * i, 3, "x\n");
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    ck_assert_int_eq(read_text(config, text, 200, &error), SHOPDATA_ERR_CONFIG);
    const char *end = strrchr(shopdata_error_message(error), '\n');
    ck_assert_str_eq(end, "\nand 50 more");
    shopdata_error_free(error);
    sdi_config_free(config);
}
END_TEST

START_TEST(tells_why_a_file_cannot_be_read)
{
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    ck_assert_int_eq(sdi_config_read_file(config, "/nowhere\n/\xff.ini", &error), SHOPDATA_ERR_CONFIG);
    ck_assert_str_eq(shopdata_error_message(error), "/nowhere?/?.ini: cannot open: No such file or directory");
    shopdata_error_free(error);
    ck_assert_int_eq(sdi_config_read_file(config, "/", &error), SHOPDATA_ERR_CONFIG);
    ck_assert_str_eq(shopdata_error_message(error), "/: is a directory; name a file");
    shopdata_error_free(error);
    ck_assert_int_eq(sdi_config_read_file(config, "/dev/null", &error), SHOPDATA_ERR_CONFIG);
    ck_assert_str_eq(shopdata_error_message(error), "/dev/null: is not a regular file; name a file");
    shopdata_error_free(error);
    sdi_config_free(config);
}
END_TEST

static char *make_large(size_t size)
{
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    memset(text, 'z', size);
    memcpy(text, "[cache]\npassword=", 17);
    return text;
}

START_TEST(has_no_limit_on_lines_but_one_on_files)
{
    shopdata_config *config = new_config();
    shopdata_error *error = NULL;
    char *text = make_large((1 << 20) + 1);
    ck_assert_int_eq(read_text(config, text, 1 << 20, NULL), SHOPDATA_OK);
    ck_assert_uint_eq(strlen(value_of(config, SDI_SECTION_CACHE, "", "password")), (1 << 20) - 17);
    ck_assert_int_eq(read_text(config, text, (1 << 20) + 1, &error), SHOPDATA_ERR_CONFIG);
    expect(shopdata_error_message(error), "@: is larger than 1 MiB; that is no configuration", write_file("", 0));
    shopdata_error_free(error);
    free(text);
    sdi_config_free(config);
}
END_TEST

START_TEST(every_default_passes_its_own_check)
{
    shopdata_config *config = new_config();
    for (size_t i = 0; i < sdi_config_key_count; i++) {
        const sdi_config_key *key = &sdi_config_keys[i];
        char path[96];
        snprintf(path, sizeof path, "%s%s.%s", sdi_sections[key->section].name,
                 sdi_sections[key->section].named ? ".x" : "", key->name);
        ck_assert_int_eq(sdi_config_set(config, path, key->fallback ? key->fallback : "x", NULL), SHOPDATA_OK);
    }
    sdi_config_free(config);
}
END_TEST

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char path[sizeof folder + 8];
    snprintf(path, sizeof path, "%s/f.ini", folder);
    unlink(path);
    rmdir(folder);
}

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static void fill(TCase *cases)
{
    tcase_add_unchecked_fixture(cases, make_folder, remove_folder);
    tcase_add_loop_test(cases, takes_good_values, 0, COUNT(good_values));
    tcase_add_loop_test(cases, tells_what_is_wrong_with_a_value, 0, COUNT(bad_values));
    tcase_add_test(cases, refuses_what_no_call_can_mean);
    tcase_add_test(cases, reads_a_file);
    tcase_add_loop_test(cases, tells_what_is_wrong_with_a_file, 0, COUNT(bad_files));
    tcase_add_test(cases, bounds_the_faults_it_tells);
    tcase_add_test(cases, tells_why_a_file_cannot_be_read);
    tcase_add_test(cases, has_no_limit_on_lines_but_one_on_files);
    tcase_add_test(cases, every_default_passes_its_own_check);
}

UNIT_MAIN("model/config", fill, 30)
