#include "client/coherence.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/proving.h"
#include "client/core.h"
#include "client/fencing.h"
#include "model/wire.h"

int sdi_coherence_begin(sdi_core *core, shopdata_error **error_out)
{
    sdi_buffer *channel = &core->coherence.channel;
    sdi_buffer_printf(channel, "%s:changes", core->settings->cache.key_prefix);
    return channel->failed ? sdi_no_memory(error_out) : SHOPDATA_OK;
}

void sdi_coherence_free(sdi_coherence *coherence)
{
    sdi_buffer_free(&coherence->channel);
}

static void put_tags(const sdi_core *core, const sdi_cache_op *operations, size_t count, unsigned char *message)
{
    sdi_slice space = {0};
    sdi_core_space(core, &space, NULL);
    for (size_t i = 0; i < count; i++) {
        sdi_slice tag = sdi_fence_key_tag(space, operations[i].key);
        sdi_put_u64(message + i * SDI_CHANGED_TAG_BYTES, sdi_hash64(tag.data, tag.length));
    }
}

size_t sdi_coherence_publish(sdi_core *core, sdi_cache_op *operations, size_t count, unsigned char *message)
{
    put_tags(core, operations, count, message);
    if (!sdi_cache_carries(core->cache))
        return 0;
    operations[count] = (sdi_cache_op){
        .verb = SDI_CACHE_PUBLISH,
        .key = {core->coherence.channel.data, core->coherence.channel.length},
        .value = {(const char *)message, count * SDI_CHANGED_TAG_BYTES},
    };
    return 1;
}
