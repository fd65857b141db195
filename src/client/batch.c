#include "client/batch.h"

#include "base/memory.h"

/* Where the texts of an operation lie: the key in `keys`, the others in `values`. */
struct sdi_batch_texts {
    sdi_span key, value, expected;
};

bool sdi_batch_make(sdi_batch *batch, size_t most)
{
    struct {
        sdi_cache_op operation;
        struct sdi_batch_texts texts;
    } *room = sdi_calloc(most, sizeof *room); /* one block for both */
    *batch = (sdi_batch){.operations = (sdi_cache_op *)room, .most = most};
    batch->texts = room ? (struct sdi_batch_texts *)(batch->operations + most) : NULL;
    return room != NULL;
}

void sdi_batch_free(sdi_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        sdi_free(batch->operations[i].block);
    sdi_free(batch->operations);
    sdi_buffer_free(&batch->keys);
    sdi_buffer_free(&batch->values);
}

sdi_cache_op *sdi_batch_add(sdi_batch *batch, enum sdi_cache_verb verb)
{
    size_t begin = batch->keyed;
    batch->keyed = batch->keys.length;
    batch->texts[batch->count].key = (sdi_span){begin, batch->keyed - begin};
    sdi_cache_op *operation = &batch->operations[batch->count++];
    operation->verb = verb;
    return operation;
}

sdi_cache_op *sdi_batch_fence(sdi_batch *batch, const sdi_core *core, sdi_slice tag, enum sdi_cache_verb verb)
{
    sdi_slice space;
    if (sdi_core_space(core, &space, NULL))
        sdi_fence_key(space, tag, &batch->keys);
    return sdi_batch_add(batch, verb);
}

sdi_cache_op *sdi_batch_key(sdi_batch *batch, sdi_slice key, enum sdi_cache_verb verb)
{
    sdi_buffer_append(&batch->keys, key.data, key.length);
    return sdi_batch_add(batch, verb);
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
        batch->operations[i].key = settled(&batch->keys, batch->texts[i].key);
        batch->operations[i].value = settled(&batch->values, batch->texts[i].value);
        batch->operations[i].expected = settled(&batch->values, batch->texts[i].expected);
    }
    return batch->count == 0 || sdi_cache_run(core->cache, batch->operations, batch->count, deadline);
}
