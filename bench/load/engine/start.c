#include "lines.h"

#include <unistd.h>

#include "plan.h"

enum { FORMAT = 1 };

static void write_keys(const load_plan *plan, load_json *json)
{
    const load_keys *keys = &plan->keys;
    load_json_begin(json, "keys");
    load_json_text(json, "kind", load_keys_name(keys));
    if (keys->kind == LOAD_KEYS_ZIPF || keys->kind == LOAD_KEYS_LATEST)
        load_json_number(json, "exponent", keys->exponent, 4);
    if (keys->kind == LOAD_KEYS_HOTSPOT) {
        load_json_number(json, "hot_keys", keys->hot_keys, 4);
        load_json_number(json, "hot_accesses", keys->hot_accesses, 4);
    }
    load_json_count(json, "count", keys->count);
    load_json_end(json);
}

static void write_trace(const load_plan *plan, load_json *json)
{
    if (!plan->trace_path)
        return;
    load_json_begin(json, "trace");
    load_json_text(json, "file", plan->trace_path);
    load_json_count(json, "accesses", plan->trace.count);
    load_json_count(json, "distinct", plan->trace.distinct);
    load_json_flag(json, "has_times", plan->trace.times != NULL);
    if (plan->trace_speed > 0)
        load_json_number(json, "speed", plan->trace_speed, 6);
    load_json_end(json);
}

static void write_scale(const load_scale *scale, load_json *json)
{
    load_json_begin(json, "scale");
    load_json_count(json, "products", (uint64_t)scale->products);
    load_json_count(json, "customers", (uint64_t)scale->customers);
    load_json_count(json, "orders", (uint64_t)scale->orders);
    load_json_count(json, "categories", (uint64_t)scale->categories);
    load_json_end(json);
}

static const char *cache_kind(shopdata_client *client)
{
    static const char *const kinds[][2] = {
        {"memory", "kind=\"memory\""}, {"redis", "kind=\"redis\""}, {"memcached", "kind=\"memcached\""}};
    shopdata_metrics *metrics = load_library_take(client);
    const char *found = "none";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (load_library_value(metrics, "shopdata_cache_kind", kinds[i][1]) == 1)
            found = kinds[i][0];
    shopdata_metrics_free(metrics);
    return found;
}

static void write_shop(const load_shop *shop, load_json *json)
{
    load_json_begin(json, "servers");
    load_json_text(json, "postgres", shop->server_version);
    load_json_text(json, "cache", cache_kind(shop->client));
    load_json_end(json);
    load_json_begin(json, "statements");
    for (size_t i = 0; i < LOAD_STATEMENTS; i++) {
        const load_sql *sql = &load_sql_table[i];
        if (!sql->sql)
            continue;
        load_json_begin(json, sql->name);
        load_json_flag(json, "cached", shop->has_cache && shop->is_kept[i]);
        load_json_text(json, "policy", sql->policy);
        load_json_text(json, "sql", sql->sql);
        load_json_end(json);
    }
    load_json_end(json);
}

/* A `--set` of something secret is not printed here either. */
static void write_command(int count, char **arguments, load_json *json)
{
    char shown[LOAD_SETTINGS_SHOWN];
    load_json_begin_array(json, "command");
    for (int i = 0; i < count; i++)
        load_json_text(json, NULL, load_settings_show(arguments[i], shown));
    load_json_end_array(json);
}

void load_print_start(load_lines *lines, const load_plan *plan, const load_shop *shop, int count, char **arguments)
{
    load_json *json = &lines->json;
    load_line_begin(lines, "start");
    load_json_count(json, "format", FORMAT);
    load_json_text(json, "program", "shopload");
    load_json_text(json, "version", SHOPDATA_VERSION);
    load_json_text(json, "library", shopdata_version());
    load_json_text(json, "build", LOAD_BUILD);
    load_json_text(json, "compiler", __VERSION__);
    load_json_count(json, "pid", (uint64_t)getpid());
    load_host_write(json);
    load_json_count(json, "seed", plan->seed);
    load_json_count(json, "threads", plan->threads);
    load_json_number(json, "patience_s", plan->patience_s, 3);
    load_mix_write(&plan->mix, json);
    write_keys(plan, json);
    write_trace(plan, json);
    write_scale(&shop->scale, json);
    load_settings_write(&plan->settings, json);
    write_shop(shop, json);
    write_command(count, arguments, json);
    load_line_end(lines);
}
