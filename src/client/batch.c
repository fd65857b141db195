#include "client/batch.h"

#include "base/memory.h"

bool sdi_batch_make(sdi_batch *batch, size_t most)
{
    batch->count = batch->keyed = 0;
    batch->most = most;
    batch->keys = batch->values = (sdi_buffer)SDI_BUFFER_INIT;
    batch->operations = batch->small_operations;
    batch->texts = batch->small_texts;
    if (most <= SDI_BATCH_SMALL)
        return true;
    batch->operations = sdi_malloc(most * (sizeof *batch->operations + sizeof *batch->texts)); /* one block for both */
    batch->texts = batch->operations ? (sdi_batch_texts *)(batch->operations + most) : NULL;
    return batch->operations != NULL;
}

void sdi_batch_free(sdi_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        sdi_free(batch->operations[i].block);
    if (batch->operations != batch->small_operations)
        sdi_free(batch->operations);
    sdi_buffer_free(&batch->keys);
    sdi_buffer_free(&batch->values);
}

sdi_cache_op *sdi_batch_key(sdi_batch *batch, sdi_slice key, enum sdi_cache_verb verb)
{
    sdi_cache_op *operation = &batch->operations[batch->count];
    *operation = (sdi_cache_op){.verb = verb, .key = key};
    batch->texts[batch->count++] = (sdi_batch_texts){.key = {0, 0}};
    return operation;
}

sdi_cache_op *sdi_batch_add(sdi_batch *batch, enum sdi_cache_verb verb)
{
    size_t begin = batch->keyed;
    batch->keyed = batch->keys.length;
    sdi_cache_op *operation = sdi_batch_key(batch, (sdi_slice){NULL, 0}, verb);
    batch->texts[batch->count - 1].key = (sdi_span){begin, batch->keyed - begin};
    return operation;
}

sdi_span sdi_batch_since(const sdi_batch *batch, size_t begin)
{
    return (sdi_span){begin, batch->values.length - begin};
}

void sdi_batch_value(sdi_batch *batch, sdi_span value)
{
    batch->texts[batch->count - 1].value = value;
}

void sdi_batch_expected(sdi_batch *batch, sdi_span expected)
{
    batch->texts[batch->count - 1].expected = expected;
}

static sdi_slice settled(const sdi_buffer *buffer, sdi_span span)
{
    return (sdi_slice){span.length ? buffer->data + span.begin : NULL, span.length};
}

bool sdi_batch_run(sdi_batch *batch, sdi_core *core, int64_t deadline)
{
    if (batch->keys.failed || batch->values.failed)
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->operations[i].key.data)
            batch->operations[i].key = settled(&batch->keys, batch->texts[i].key);
        batch->operations[i].value = settled(&batch->values, batch->texts[i].value);
        batch->operations[i].expected = settled(&batch->values, batch->texts[i].expected);
    }
    return batch->count == 0 || sdi_cache_run(core->cache, batch->operations, batch->count, deadline);
}
