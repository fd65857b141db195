/* scrape.h - what a Prometheus endpoint said at one moment. */
#ifndef SDI_TOOL_SCRAPE_H
#define SDI_TOOL_SCRAPE_H

#include <stdbool.h>
#include <stdint.h>

#include <shopdata/shopdata.h>

typedef struct sdi_sample {
    const char *name, *labels; /* labels without the braces, "" if there are none */
    double value;
} sdi_sample;

typedef struct sdi_scrape {
    char *text; /* what the samples point into */
    sdi_sample *samples;
    size_t count;
    int64_t taken_at; /* sdi_now */
} sdi_scrape;

/* sdi_scrape_fetch gets `url` within `timeout_ms`. SHOPDATA_ERR_UNAVAILABLE, or SHOPDATA_ERR_TYPE for an answer that is
 * not the metrics of libshopdata; *scrape_out is not touched then. */
int sdi_scrape_fetch(const char *url, int64_t timeout_ms, sdi_scrape *scrape_out, shopdata_error **error_out);
/* sdi_scrape_parse takes `text` over, in every case. */
int sdi_scrape_parse(char *text, sdi_scrape *scrape_out, shopdata_error **error_out);
void sdi_scrape_free(sdi_scrape *scrape);

/* sdi_scrape_sum adds the values of that name whose labels contain `label` (`policy="default"`); NULL: all. */
double sdi_scrape_sum(const sdi_scrape *scrape, const char *name, const char *label);
/* sdi_scrape_most is the greatest of these values, 0 if there are none: a state of one thing that several processes
 * tell of, each with a label of its own. */
double sdi_scrape_most(const sdi_scrape *scrape, const char *name, const char *label);
/* sdi_scrape_label finds the next value of a label, each once, from sample *at on, among samples of that name. It
 * writes at most `size` bytes; false at the end. */
bool sdi_scrape_label(const sdi_scrape *scrape, const char *name, const char *label, size_t *at, char *value,
                      size_t size);

#endif
