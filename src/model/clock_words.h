/* clock_words.h - texts that PostgreSQL's date and time types read as a moment of the clock. */
#ifndef SDI_MODEL_CLOCK_WORDS_H
#define SDI_MODEL_CLOCK_WORDS_H

#include <stdbool.h>

#include "base/slice.h"

/* sdi_says_clock: does `now`, `today`, `tomorrow` or `yesterday` stand in the text as a word? Anywhere in it, for
 * '{now}' is an array and '12:00today' a timestamp. */
bool sdi_says_clock(sdi_slice text);

#endif
