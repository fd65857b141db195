/* generate.h - what the parts of `generate` share. */
#ifndef SDI_DOC_GENERATE_H
#define SDI_DOC_GENERATE_H

#include "base/buffer.h"
#include "model/config_keys.h"

/* generate_type writes what a key takes: "duration, 1ms to 24h", "choice: `a`, `b`". */
void generate_type(sdi_buffer *out, const sdi_config_key *key);
/* generate_manual prints shopdata.ini(5). */
void generate_manual(void);

#endif
