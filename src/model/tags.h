/* tags.h - the tags of one call: names of what an answer depends on or a write changes.
 *
 *   public.products/product_id=42   one row
 *   public.products/\*              bulk changes: every row-tagged entry hangs on it too
 *   public.products                 any change
 *   shelf/7                         one of the application's own
 */
#ifndef SDI_MODEL_TAGS_H
#define SDI_MODEL_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"

enum { SDI_TAG_MAX = 512 }; /* a longer one is replaced by its head and a hash of the whole */

typedef struct sdi_tags {
    sdi_buffer texts; /* the tags one after another, each behind the prefix */
    sdi_buffer ends;  /* size_t: where each ends in texts */
    sdi_slice prefix; /* what their keys begin with; nothing, where no keys are needed */
    size_t count;
    size_t required;    /* the first `required` always count; the others only for an answer without rows */
    bool rest_if_empty; /* what is added from here on is not required */
} sdi_tags;

#define SDI_TAGS_INIT                                                                                                  \
    {                                                                                                                  \
        SDI_BUFFER_INIT, SDI_BUFFER_INIT, {NULL, 0}, 0, 0, false                                                       \
    }

void sdi_tags_free(sdi_tags *tags);
/* sdi_tags_add appends a tag unless it is there; too long ones are shortened (SDI_TAG_MAX). Tags are added as required
 * until sdi_tags_rest_if_empty is called. */
void sdi_tags_add(sdi_tags *tags, sdi_slice tag);
/* sdi_tags_begin begins a tag that is made where it stands: append it to the buffer, then sdi_tags_end, which adds it
 * as sdi_tags_add does, or sdi_tags_drop. */
sdi_buffer *sdi_tags_begin(sdi_tags *tags);
void sdi_tags_end(sdi_tags *tags);
void sdi_tags_drop(sdi_tags *tags);
/* sdi_tags_rest_if_empty: what is added from here on counts only for an answer without rows. */
void sdi_tags_rest_if_empty(sdi_tags *tags);
sdi_slice sdi_tags_at(const sdi_tags *tags, size_t index);
/* sdi_tags_key is the tag with the prefix. */
sdi_slice sdi_tags_key(const sdi_tags *tags, size_t index);
bool sdi_tags_failed(const sdi_tags *tags);

#endif
