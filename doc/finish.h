/* finish.h - the end of a program that prints a page. */
#ifndef SDI_DOC_FINISH_H
#define SDI_DOC_FINISH_H

/* finish_page returns the exit code: 1, and one line on stderr, if what was printed could not be written. */
int finish_page(const char *program);

#endif
