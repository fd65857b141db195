/* key.h - primary key values as tags contain them: one spelling for each value that PostgreSQL holds equal. */
#ifndef SDI_MODEL_KEY_H
#define SDI_MODEL_KEY_H

#include <shopdata/shopdata.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum sdi_key_type {
    SDI_KEY_NONE = 0, /* not a type whose equality we know */
    SDI_KEY_INT2,
    SDI_KEY_INT4,
    SDI_KEY_INT8,
    SDI_KEY_BOOL,
    SDI_KEY_UUID,
    SDI_KEY_TEXT, /* text and varchar of a deterministic collation */
};

/* sdi_key_append appends the one spelling of a value given as text; false (nothing appended) if PostgreSQL would not
 * read it as this type, or not surely as we do. `shared`: the parameter stands elsewhere in the statement too, where
 * PostgreSQL may have inferred another type for it. */
bool sdi_key_append(sdi_buffer *out, enum sdi_key_type type, sdi_slice text, bool shared);

/* sdi_key_param is sdi_key_append of a parameter; false for NULL, bytes and doubles. */
bool sdi_key_param(sdi_buffer *out, enum sdi_key_type type, const shopdata_param *param, bool shared);

/* sdi_tag_escape appends text so that it cannot be taken for another part of a tag. Dots too, for names. */
void sdi_tag_escape(sdi_buffer *out, sdi_slice text, bool dots);

#endif
