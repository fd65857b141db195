/* screen.h - a page of text that is drawn over and over, in a terminal or not. */
#ifndef SDI_TOOL_SCREEN_H
#define SDI_TOOL_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/* sdi_screen_open takes the terminal over (its other screen, no echo) where standard output is one; what was there
 * comes back with sdi_screen_close, which is also called by SIGINT and SIGTERM. */
void sdi_screen_open(void);
void sdi_screen_close(void);
/* sdi_screen_show draws a page: in a terminal in place of the one before, cut to its size; else below it. */
void sdi_screen_show(const char *page);
/* sdi_screen_wait waits; false if the user wants to end: `q`, or a signal. */
bool sdi_screen_wait(int64_t ms);

#endif
