/* config_keys.h - the one table of configuration keys. The parser, the checks, the settings and doc/configuration.md
 * all come from it: a new key is a new line there and a member in settings.h. */
#ifndef SDI_MODEL_CONFIG_KEYS_H
#define SDI_MODEL_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum sdi_section_kind {
    SDI_SECTION_SHOPDATA,
    SDI_SECTION_NODE,
    SDI_SECTION_POOL,
    SDI_SECTION_ROUTE,
    SDI_SECTION_CACHE,
    SDI_SECTION_LOCAL,
    SDI_SECTION_POLICY,
    SDI_SECTION_ASYNC,
    SDI_SECTIONS
};

typedef struct sdi_section {
    const char *name;
    bool named; /* [node NAME] and "node.NAME.key" instead of [pool] and "pool.key" */
    const char *help;
} sdi_section;

enum sdi_key_type {
    SDI_KEY_TEXT,
    SDI_KEY_SECRET, /* text that no message may show */
    SDI_KEY_WORD,   /* printable ASCII without blanks */
    SDI_KEY_INT,
    SDI_KEY_PERCENT,
    SDI_KEY_DURATION, /* milliseconds */
    SDI_KEY_BYTES,
    SDI_KEY_BOOL,
    SDI_KEY_CHOICE,     /* the number of the choice */
    SDI_KEY_ADDRESSES,  /* one or more, see address.h */
    SDI_KEY_TOKEN_KEYS, /* none or more, see token_keys.h; no message may show them */
    SDI_KEY_TYPES
};

typedef struct sdi_config_key {
    enum sdi_section_kind section;
    const char *name;
    enum sdi_key_type type;
    const char *fallback;       /* the default, as it would stand in a file; NULL: there is none, it must be set */
    int64_t low, high;          /* of a number; of a text its length, where high 0 is no limit */
    const char *const *choices; /* NULL at the end */
    size_t offset;              /* of the member in the section's struct of settings.h */
    const char *help;
} sdi_config_key;

extern const sdi_section sdi_sections[SDI_SECTIONS];
extern const sdi_config_key sdi_config_keys[];
extern const size_t sdi_config_key_count;

/* sdi_find_section, sdi_find_key look a name up; -1 and NULL if there is none. */
int sdi_find_section(sdi_slice name);
const sdi_config_key *sdi_find_key(enum sdi_section_kind section, sdi_slice name);
/* sdi_config_name_ok: 1 to 31 bytes of letters, digits, - and _. */
bool sdi_config_name_ok(sdi_slice name);

/* sdi_tell_section, sdi_tell_key write why a name is not known and what would be right. */
void sdi_tell_section(sdi_buffer *out, sdi_slice name);
void sdi_tell_key(sdi_buffer *out, enum sdi_section_kind section, sdi_slice name);
/* sdi_quote writes `text` between backquotes, without control characters, cut when long. */
void sdi_quote(sdi_buffer *out, sdi_slice text);
/* sdi_nearest returns the candidate (NULL at the end of them) that a slip of the keyboard may have meant, or NULL. */
const char *sdi_nearest(sdi_slice text, const char *const *candidates);

#endif
