/* A memcached server's answers, and an endpoint's list of servers. Cut anywhere, an answer asks for more; whatever
 * comes behind it, it means the same. A list is whole or none. */
#include "cache/memcached/cluster.h"
#include "cache/memcached/wire.h"
#include "fuzz.h"

enum { VERBS = SDI_MEMCACHED_CONFIG + 1, VALUE_MAX = 1 << 12 };

static enum sdi_memcached_parsed parse(enum sdi_memcached_verb verb, sdi_slice bytes, sdi_memcached_answer *answer)
{
    sdi_memcached_request request = {.verb = verb, .key = {"key", 3}};
    char *exact = fuzz_exact(bytes);
    enum sdi_memcached_parsed parsed =
        sdi_memcached_parse(&request, (sdi_slice){exact, bytes.length}, VALUE_MAX, answer);
    if (parsed == SDI_MEMCACHED_COMPLETE && answer->kind == SDI_MEMCACHED_VALUE) {
        HOLDS(answer->value.data >= exact && answer->value.length <= VALUE_MAX);
        HOLDS(answer->value.data + answer->value.length <= exact + answer->length);
    }
    sdi_free(exact);
    return parsed;
}

static void check_answer(enum sdi_memcached_verb verb, sdi_slice bytes)
{
    sdi_memcached_answer whole, part;
    enum sdi_memcached_parsed parsed = parse(verb, bytes, &whole);
    if (parsed == SDI_MEMCACHED_INCOMPLETE)
        HOLDS(whole.length > bytes.length);
    if (parsed != SDI_MEMCACHED_COMPLETE)
        return;
    HOLDS(whole.kind != SDI_MEMCACHED_NOTHING && whole.length <= bytes.length);
    for (size_t length = 0; length < whole.length; length++) {
        HOLDS(parse(verb, (sdi_slice){bytes.data, length}, &part) == SDI_MEMCACHED_INCOMPLETE);
        HOLDS(part.length > length && part.length <= whole.length);
    }
    HOLDS(parse(verb, (sdi_slice){bytes.data, whole.length}, &part) == SDI_MEMCACHED_COMPLETE);
    HOLDS(part.kind == whole.kind && part.length == whole.length && part.cas == whole.cas);
}

static void check_list(sdi_slice text)
{
    sdi_memcached_cluster cluster = {0};
    char *exact = fuzz_exact(text);
    bool read = sdi_memcached_cluster_parse((sdi_slice){exact, text.length}, &cluster);
    sdi_free(exact);
    HOLDS(read == (cluster.addresses != NULL));
    HOLDS(!read || (cluster.version > 0 && cluster.count > 0 && cluster.count <= SDI_MEMCACHED_CLUSTER_MAX));
    for (size_t i = 0; i < cluster.count; i++) {
        HOLDS(*cluster.addresses[i].host && *cluster.addresses[i].host != '/');
        HOLDS(cluster.addresses[i].port >= 1 && cluster.addresses[i].port <= 65535);
    }
    sdi_free(cluster.addresses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    size_t what = (size_t)fuzz_number(&in, 1) % (VERBS + 1);
    if (what < VERBS)
        check_answer((enum sdi_memcached_verb)what, fuzz_rest(&in));
    else
        check_list(fuzz_rest(&in));
    return 0;
}
