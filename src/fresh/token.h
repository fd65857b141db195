/* token.h - what a session wrote and saw, as a text that goes with its user to whichever instance answers next.
 *
 *   1 BODY                    not signed
 *   1 BODY . ID . MAC         signed: ID names the key, MAC is HMAC-SHA256 over what stands before it, cut to 16 bytes
 *
 * (without the blanks; BODY and MAC are base64url). The body, numbers of variable length where nothing else is said:
 *
 *   u8 flags   u64 system   timeline, position reached
 *   if something was written whose point is known: timeline, lsn, flush, xmin, xmax - xmin, count, running xids, each
 * as the distance to the one before it count of tags, u64 hashes, ascending
 *
 * Printable, without a blank, a comma or a quote: it needs nothing around it in a cookie or a header. The system
 * identifier names the database cluster that it belongs to. Positions run on through promotions. */
#ifndef SDI_FRESH_TOKEN_H
#define SDI_FRESH_TOKEN_H

#include "base/buffer.h"
#include "base/slice.h"
#include "model/stamp.h"
#include "model/token_keys.h"

enum { SDI_TOKEN_TAGS_MAX = 16, SDI_TOKEN_TEXT_MAX = 1536 };

typedef struct sdi_token {
    sdi_era era;     /* of `reached` */
    sdi_lsn reached; /* all that was written or seen lies so far at most; 0: nothing */
    bool wrote;      /* something whose point is known: `written` */
    bool unknown;    /* something whose point is not known; in a text also something seen */
    bool all_tags;   /* there were more than fit into `tags` */
    sdi_point written;
    size_t tag_count;
    uint64_t tags[SDI_TOKEN_TAGS_MAX]; /* of writes that the cache was not told of: hashes of fence keys, ascending */
} sdi_token;

uint64_t sdi_token_tag(sdi_slice fence_key);
void sdi_token_add_tag(sdi_token *token, uint64_t tag);
void sdi_token_drop_tag(sdi_token *token, uint64_t tag);
bool sdi_token_has_tag(const sdi_token *token, uint64_t tag);

/* sdi_token_wrote adds a write that `point` demands, sdi_token_saw an answer of this stamp; of the same system. What is
 * of a timeline before the newest is in that one, or lost. */
void sdi_token_wrote(sdi_token *token, const sdi_point *point);
void sdi_token_saw_until(sdi_token *token, sdi_era era, sdi_lsn lsn);
void sdi_token_saw(sdi_token *token, const sdi_stamp *stamp);
/* sdi_token_merge adds all that another token of the same system says. */
void sdi_token_merge(sdi_token *token, const sdi_token *other);

/* sdi_token_encode appends the text, signed where there are keys. */
void sdi_token_encode(const sdi_token *token, const sdi_token_keys *keys, sdi_buffer *text);

enum sdi_token_fault {
    SDI_TOKEN_GOOD,
    SDI_TOKEN_TOO_LONG,
    SDI_TOKEN_MALFORMED,
    SDI_TOKEN_VERSION, /* of another version of the library */
    SDI_TOKEN_UNSIGNED,
    SDI_TOKEN_UNKNOWN_KEY,
    SDI_TOKEN_BAD_SIGNATURE,
    SDI_TOKEN_NO_MEMORY,
};
/* sdi_token_decode reads a text from anywhere. Where there are keys it must be signed with one of them; where there are
 * none no signature is looked at. *token_out is written if it is good. */
enum sdi_token_fault sdi_token_decode(sdi_slice text, const sdi_token_keys *keys, sdi_token *token_out);

#endif
