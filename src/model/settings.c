#include "model/settings.h"

#include <string.h>

#include "base/memory.h"
#include "model/config.h"
#include "model/config_value.h"
#include "model/faults.h"
#include "model/policy.h"

enum { NODES_MAX = 64 };

/* What the texts of the settings live in. */
typedef struct texts {
    shopdata_config *copy;
    sdi_address *addresses;
} texts;

static sdi_slice text_of(const shopdata_config *config, const sdi_config_key *key, const char *name)
{
    const sdi_config_entry *entry = sdi_config_find(config, key->section, sdi_slice_of(name), key);
    if (entry)
        return (sdi_slice){entry->value, entry->length};
    return sdi_slice_of(key->fallback ? key->fallback : "");
}

static void store(const sdi_config_key *key, sdi_config_value value, void *member, sdi_buffer *fault)
{
    switch (key->type) {
    case SDI_KEY_TEXT:
    case SDI_KEY_SECRET:
    case SDI_KEY_WORD:
        *(const char **)member = value.text.data;
        break;
    case SDI_KEY_BOOL:
        *(bool *)member = value.number != 0;
        break;
    case SDI_KEY_CHOICE:
        *(int *)member = (int)value.number;
        break;
    case SDI_KEY_ADDRESSES: /* see take_addresses */
        break;
    case SDI_KEY_TOKEN_KEYS:
        sdi_token_keys_read(value.text, member, fault);
        break;
    default:
        *(int64_t *)member = value.number;
    }
}

/* Fills one section's struct from the table. The values were checked when they were set. */
static void fill(const shopdata_config *config, enum sdi_section_kind section, const char *name, void *into)
{
    sdi_buffer fault = SDI_BUFFER_INIT;
    for (size_t i = 0; i < sdi_config_key_count; i++) {
        const sdi_config_key *key = &sdi_config_keys[i];
        sdi_config_value value;
        if (key->section != section)
            continue;
        sdi_config_value_parse(key, text_of(config, key, name), &value, &fault);
        store(key, value, (char *)into + key->offset, &fault);
    }
    sdi_buffer_free(&fault);
}

/* The addresses need a block of their own: the table's member is a pointer, and they are many. Memcached has another
 * port where none is set. */
static bool take_addresses(sdi_settings *settings, texts *memory)
{
    const sdi_config_key *key = sdi_find_key(SDI_SECTION_CACHE, sdi_slice_of("address"));
    bool set = sdi_config_find(memory->copy, SDI_SECTION_CACHE, sdi_slice_of(""), key) != NULL;
    sdi_slice text = text_of(memory->copy, key, "");
    if (!set && settings->cache.kind == SDI_CACHE_MEMCACHED)
        text = sdi_slice_of("127.0.0.1:11211");
    memory->addresses = sdi_addresses_read(text, &settings->cache.address_count);
    settings->cache.addresses = memory->addresses;
    return memory->addresses != NULL;
}

static void take_log(sdi_settings *settings, const shopdata_config *config)
{
    settings->log.function = sdi_config_log(config, &settings->log.context);
    settings->log.level += SHOPDATA_LOG_ERROR; /* the choices are numbered from 0 */
}

static size_t count_sections(const shopdata_config *config, enum sdi_section_kind section)
{
    size_t count = 0;
    for (size_t i = 0; i < sdi_config_count(config); i++) {
        const sdi_config_entry *entry = sdi_config_at(config, i);
        count += !entry->key && entry->section == section;
    }
    return count;
}

static void fill_nodes(sdi_settings *settings, const shopdata_config *config)
{
    for (size_t i = 0; i < sdi_config_count(config); i++) {
        const sdi_config_entry *entry = sdi_config_at(config, i);
        if (entry->key || entry->section != SDI_SECTION_NODE)
            continue;
        sdi_node_settings *node = &settings->nodes[settings->node_count++];
        fill(config, SDI_SECTION_NODE, entry->name, node);
        node->name = entry->name;
    }
}

static void fill_policies(sdi_settings *settings, const shopdata_config *config)
{
    settings->policies[0].name = "default";
    fill(config, SDI_SECTION_POLICY, "default", &settings->policies[0]);
    settings->policy_count = 1;
    for (size_t i = 0; i < sdi_config_count(config); i++) {
        const sdi_config_entry *entry = sdi_config_at(config, i);
        if (entry->key || entry->section != SDI_SECTION_POLICY || !strcmp(entry->name, "default"))
            continue;
        sdi_policy_settings *policy = &settings->policies[settings->policy_count++];
        fill(config, SDI_SECTION_POLICY, entry->name, policy);
        policy->name = entry->name;
    }
}

static int64_t longest_life(const sdi_settings *settings)
{
    int64_t longest = 0;
    for (size_t i = 0; i < settings->policy_count; i++) {
        int64_t life = sdi_policy_life_max(&settings->policies[i]);
        longest = life > longest ? life : longest;
    }
    return longest;
}

static bool fill_all(sdi_settings *settings, const shopdata_config *config)
{
    texts *memory = settings->memory = sdi_calloc(1, sizeof(texts));
    if (!memory || !(memory->copy = sdi_config_copy(config)))
        return false;
    settings->nodes = sdi_calloc(count_sections(config, SDI_SECTION_NODE), sizeof(sdi_node_settings));
    settings->policies = sdi_calloc(count_sections(config, SDI_SECTION_POLICY) + 1, sizeof(sdi_policy_settings));
    if (!settings->nodes || !settings->policies)
        return false;
    fill(memory->copy, SDI_SECTION_SHOPDATA, "", settings);
    take_log(settings, memory->copy);
    fill(memory->copy, SDI_SECTION_POOL, "", &settings->pool);
    fill(memory->copy, SDI_SECTION_ROUTE, "", &settings->route);
    fill(memory->copy, SDI_SECTION_CACHE, "", &settings->cache);
    fill(memory->copy, SDI_SECTION_ASYNC, "", &settings->async);
    fill(memory->copy, SDI_SECTION_LOCAL, "", &settings->local);
    fill_nodes(settings, memory->copy);
    fill_policies(settings, memory->copy);
    settings->entry_life_ms = longest_life(settings);
    return take_addresses(settings, memory);
}

static void check_nodes(const sdi_settings *settings, sdi_faults *faults)
{
    if (settings->node_count == 0)
        sdi_faults_add(faults, "node: there is none; set node.NAME.conninfo");
    if (settings->node_count > NODES_MAX)
        sdi_faults_add(faults, "node: there are %zu nodes; at most %d", settings->node_count, NODES_MAX);
    for (size_t i = 0; i < settings->node_count; i++)
        if (!*settings->nodes[i].conninfo)
            sdi_faults_add(faults, "node.%s.conninfo: not set; every node needs one", settings->nodes[i].name);
}

static void check_breaker(const char *section, int64_t open_ms, int64_t max_ms, sdi_faults *faults)
{
    sdi_buffer open = SDI_BUFFER_INIT, most = SDI_BUFFER_INIT;
    sdi_config_value_show(&open, SDI_KEY_DURATION, open_ms);
    sdi_config_value_show(&most, SDI_KEY_DURATION, max_ms);
    if (open_ms > max_ms)
        sdi_faults_add(faults, "%s.breaker_open: %s is over %s.breaker_open_max, %s; lower one or raise the other",
                       section, open.failed ? "" : open.data, section, most.failed ? "" : most.data);
    faults->text.failed |= open.failed || most.failed;
    sdi_buffer_free(&open);
    sdi_buffer_free(&most);
}

static void check_tls(const sdi_cache_settings *cache, sdi_faults *faults)
{
    bool named = *cache->tls_ca_file || *cache->tls_cert_file || *cache->tls_key_file || *cache->tls_server_name;
    if (!cache->tls && named)
        sdi_faults_add(faults, "cache.tls: off, but other keys of TLS are set; set it on, or remove them");
    if (!*cache->tls_cert_file != !*cache->tls_key_file)
        sdi_faults_add(faults, "cache.%s: set without cache.%s; set both or neither",
                       *cache->tls_cert_file ? "tls_cert_file" : "tls_key_file",
                       *cache->tls_cert_file ? "tls_key_file" : "tls_cert_file");
    for (size_t i = 0; cache->tls && !*cache->tls_server_name && i < cache->address_count; i++)
        if (*cache->addresses[i].host == '/')
            sdi_faults_add(faults, "cache.tls_server_name: not set; a socket's path (`%s`) has no name to check",
                           cache->addresses[i].host);
}

static void check_memcached(const sdi_cache_settings *cache, sdi_faults *faults)
{
    if (*cache->password)
        sdi_faults_add(faults, "cache.password: memcached knows no login here; leave user and password away");
    if (cache->tls)
        sdi_faults_add(faults, "cache.tls: on, but there is no TLS to memcached here; set it off");
    if (cache->discovery && cache->address_count > 1)
        sdi_faults_add(faults,
                       "cache.address: there are %zu addresses; discovery wants one, the configuration endpoint",
                       cache->address_count);
}

static void check_cluster(const sdi_cache_settings *cache, sdi_faults *faults)
{
    if (cache->kind != SDI_CACHE_REDIS && (cache->cluster || *cache->sentinel_primary))
        sdi_faults_add(faults, "cache.%s: set, but only redis has it; set cache.kind, or leave it away",
                       cache->cluster ? "cluster" : "sentinel_primary");
    if (cache->cluster && *cache->sentinel_primary)
        sdi_faults_add(faults, "cache.cluster: on, and cache.sentinel_primary is set; a cluster has no sentinels");
    if (cache->cluster && cache->database)
        sdi_faults_add(faults, "cache.database: not 0; a cluster has no other database");
    if (*cache->sentinel_password && !*cache->sentinel_primary)
        sdi_faults_add(faults, "cache.sentinel_password: set without cache.sentinel_primary");
}

static void check_cache(const sdi_cache_settings *cache, sdi_faults *faults)
{
    if (*cache->user && !*cache->password)
        sdi_faults_add(faults, "cache.user: set without cache.password; set both or neither");
    check_tls(cache, faults);
    if (cache->kind == SDI_CACHE_MEMCACHED)
        check_memcached(cache, faults);
    else if (cache->discovery)
        sdi_faults_add(faults, "cache.discovery: on, but only memcached has it; set cache.kind, or set it off");
    check_cluster(cache, faults);
    if (sdi_mode_marks(cache->mode) && cache->kind != SDI_CACHE_REDIS && cache->kind != SDI_CACHE_MEMORY)
        sdi_faults_add(faults, "cache.mode: strict, but %s; set cache.kind to redis or memory, or cache.mode to fenced",
                       cache->kind == SDI_CACHE_MEMCACHED ? "on memcached fences cannot be marked"
                                                          : "there is no cache to keep a promise of");
    if (cache->kind == SDI_CACHE_MEMORY && cache->max_entry_bytes > cache->memory_bytes)
        sdi_faults_add(faults, "cache.max_entry_bytes: over cache.memory_bytes; lower one or raise the other");
}

static int check(const sdi_settings *settings, shopdata_error **error_out)
{
    sdi_faults faults = SDI_FAULTS_INIT;
    check_nodes(settings, &faults);
    if (settings->policy_count > SDI_POLICIES_MAX)
        sdi_faults_add(&faults, "policy: there are %zu policies; at most %d", settings->policy_count, SDI_POLICIES_MAX);
    check_breaker("route", settings->route.breaker_open_ms, settings->route.breaker_open_max_ms, &faults);
    check_breaker("cache", settings->cache.breaker_open_ms, settings->cache.breaker_open_max_ms, &faults);
    check_cache(&settings->cache, &faults);
    return sdi_faults_end(&faults, error_out);
}

int sdi_settings_make(const shopdata_config *config, sdi_settings **settings_out, shopdata_error **error_out)
{
    sdi_settings *settings = sdi_calloc(1, sizeof *settings);
    int status = settings && fill_all(settings, config) ? check(settings, error_out) : sdi_no_memory(error_out);
    if (status)
        sdi_settings_free(settings);
    else
        *settings_out = settings;
    return status;
}

void sdi_settings_free(sdi_settings *settings)
{
    if (!settings)
        return;
    texts *memory = settings->memory;
    if (memory) {
        sdi_config_free(memory->copy);
        sdi_free(memory->addresses);
        sdi_free(memory);
    }
    sdi_free(settings->nodes);
    sdi_free(settings->policies);
    sdi_free(settings);
}

const sdi_policy_settings *sdi_settings_policy(const sdi_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->policy_count; i++)
        if (!strcmp(settings->policies[i].name, name ? name : "default"))
            return &settings->policies[i];
    return NULL;
}
