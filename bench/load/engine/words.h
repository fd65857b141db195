/* words.h - what names, descriptions and addresses are made of. */
#ifndef LOAD_WORDS_H
#define LOAD_WORDS_H

#include <stddef.h>

typedef struct load_words {
    const char *const *words;
    size_t count;
} load_words;

/* A department of the shop: its share of the products (of LOAD_SHARES in all), the median price in dollars, and the
 * kinds of things that it sells. */
typedef struct load_department {
    const char *name;
    int share;
    int median;
    const char *kinds[5];
} load_department;

enum { LOAD_DEPARTMENTS = 16, LOAD_SHARES = 1000 };

extern const load_department load_departments[LOAD_DEPARTMENTS];
extern const load_words load_moods, load_materials, load_virtues, load_uses;
extern const load_words load_first_names, load_last_names, load_streets, load_cities;

/* Where each of load_cities is. */
extern const char *const load_countries[];

#endif
