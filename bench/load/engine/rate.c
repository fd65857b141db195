#include "rate.h"

#include <math.h>
#include <string.h>

#include "options.h"

enum { PART_TEXT = 64 };

#define LONGEST_S (366 * 86400.0)
/* Seconds that do not add up by less than this are written with few decimals, and do add up. */
#define SLIP_S 1e-6

/* A part's text is cut where its seconds and its second rate begin. */
static bool read_part(load_rate_part *part, char *text, load_fault *fault)
{
    char *seconds = strchr(text, '@'), *to = strstr(text, "..");
    part->seconds = 0;
    if (seconds) {
        *seconds = '\0';
        if (!load_read_number("rate: the seconds of a part", seconds + 1, 1e-3, LONGEST_S, &part->seconds, fault))
            return false;
    }
    if (to)
        *to = '\0';
    if (!load_read_number("rate", text, 0, LOAD_RATE_HIGHEST, &part->from, fault))
        return false;
    part->to = part->from;
    return !to || load_read_number("rate", to + 2, 0, LOAD_RATE_HIGHEST, &part->to, fault);
}

static bool read_parts(load_rate *rate, const char *text, load_fault *fault)
{
    char part[PART_TEXT];
    for (rate->count = 0;; text++) {
        size_t length = strcspn(text, ",");
        if (rate->count == LOAD_RATE_PARTS)
            return load_fail(fault, "rate: there are over %d parts", LOAD_RATE_PARTS);
        if (length >= sizeof part)
            return load_fail(fault, "rate: `%.20s...` is no part; one is `5000`, `100..5000` or `1000@10`", text);
        memcpy(part, text, length);
        part[length] = '\0';
        if (!read_part(&rate->parts[rate->count++], part, fault))
            return false;
        text += length;
        if (!*text)
            return true;
    }
}

static bool share_seconds(load_rate *rate, double seconds, load_fault *fault)
{
    double told = 0;
    size_t untold = 0;
    for (size_t i = 0; i < rate->count; i++) {
        told += rate->parts[i].seconds;
        untold += rate->parts[i].seconds == 0;
    }
    if (untold ? told >= seconds : fabs(told - seconds) > SLIP_S)
        return load_fail(fault, "rate: its parts take %.15g s%s, the phase takes %.15g s", told,
                         untold ? " and leave none for the others" : "", seconds);
    for (size_t i = 0; i < rate->count; i++)
        if (rate->parts[i].seconds == 0)
            rate->parts[i].seconds = (seconds - told) / (double)untold;
    return true;
}

bool load_rate_read(load_rate *rate, const char *text, double seconds, load_fault *fault)
{
    return read_parts(rate, text, fault) && share_seconds(rate, seconds, fault);
}

static double slope(const load_rate_part *part)
{
    return (part->to - part->from) / part->seconds;
}

static double expected_within(const load_rate_part *part, double moment)
{
    return (part->from + slope(part) * moment / 2) * moment;
}

double load_rate_expected(const load_rate *rate, double moment)
{
    double count = 0;
    for (size_t i = 0; i < rate->count && moment > 0; i++) {
        const load_rate_part *part = &rate->parts[i];
        count += expected_within(part, fmin(moment, part->seconds));
        moment -= part->seconds;
    }
    return count;
}

/* Where from * x + slope * x^2 / 2 is `count`. Written so that nothing is subtracted that is nearly the same, and so
 * that a slope of 0 needs no case of its own. */
static double moment_within(const load_rate_part *part, double count)
{
    double root = sqrt(fmax(0, part->from * part->from + 2 * slope(part) * count));
    double moment = part->from + root > 0 ? 2 * count / (part->from + root) : 0;
    return fmin(moment, part->seconds);
}

bool load_rate_reach(const load_rate *rate, load_rate_walk *walk, double count, double *moment_out)
{
    for (; walk->part < rate->count; walk->part++) {
        const load_rate_part *part = &rate->parts[walk->part];
        double within = expected_within(part, part->seconds);
        if (count < walk->count + within) {
            *moment_out = walk->moment + moment_within(part, count - walk->count);
            return true;
        }
        walk->count += within;
        walk->moment += part->seconds;
    }
    return false;
}
