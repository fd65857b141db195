/* grammar.h - statements by chance, from a grammar: see README.md for how one is written. */
#ifndef SDI_TESTS_DIFFERENTIAL_GRAMMAR_H
#define SDI_TESTS_DIFFERENTIAL_GRAMMAR_H

#include "base/buffer.h"
#include "support/prng.h"

/* How what is produced marks a parameter: one of the first two, the value, GRAMMAR_PARAM_END. */
enum { GRAMMAR_PARAM_TEXT = 1, GRAMMAR_PARAM_INTEGER = 2, GRAMMAR_PARAM_END = 3, GRAMMAR_PARAM_AGAIN = 4 };

typedef struct grammar grammar;

/* grammar_read reads DIRECTORY/NAME.grammar for each name, up to a NULL. It ends the program with FILE:LINE and what is
 * wrong, for a rule that is missing too. */
grammar *grammar_read(const char *directory, const char *const *files);
void grammar_free(grammar *g);

/* grammar_produce appends one sentence of `rule` to `out`. Of the rules that are marked with a ~ it uses some
 * alternatives only, which ones `swarm` tells: few tables and few kinds of statements meet more often. `kind` gets the
 * name of the rule that the chosen alternative begins with and the number of the alternative chosen there ("join/3"):
 * what kind of statement this is. */
void grammar_produce(const grammar *g, const char *rule, uint64_t swarm, prng *random, sdi_buffer *out,
                     sdi_buffer *kind);

#endif
