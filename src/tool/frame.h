/* frame.h - what `top` shows: two scrapes of one process as a page of text. */
#ifndef SDI_TOOL_FRAME_H
#define SDI_TOOL_FRAME_H

#include "base/buffer.h"
#include "tool/scrape.h"

/* sdi_frame_write appends the page: rates over the time between the two, states as of `now`. */
void sdi_frame_write(const sdi_scrape *before, const sdi_scrape *now, sdi_buffer *out);
/* sdi_frame_quantile is a quantile (0..1) of what was added to a histogram, in seconds, taken within its bucket in
 * proportion, as Prometheus does; negative if nothing was added. */
double sdi_frame_quantile(const sdi_scrape *before, const sdi_scrape *now, const char *name, const char *label,
                          double quantile);

#endif
