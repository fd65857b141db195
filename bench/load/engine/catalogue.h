/* catalogue.h - a real shop's departments and products, from DIR/catalogue/categories.tsv and products.tsv. */
#ifndef LOAD_CATALOGUE_H
#define LOAD_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

/* A product as the file has it; the texts belong to the catalogue. */
typedef struct load_good {
    int64_t category, cents, stock; /* the category's place in the file, from 1 */
    const char *style, *name, *description, *image;
} load_good;

typedef struct load_category {
    int64_t number;
    const char *name;
} load_category;

typedef struct load_catalogue {
    char *texts[2]; /* the files, cut into their fields */
    load_category *categories;
    load_good *goods;
    int64_t category_count, good_count;
    uint64_t fingerprint; /* of both files */
} load_catalogue;

/* load_catalogue_read reads the catalogue of a directory. False: it has complained, with file and line. The caller
 * frees it with load_catalogue_free in either case. */
bool load_catalogue_read(load_catalogue *catalogue, const char *directory);
void load_catalogue_free(load_catalogue *catalogue);

#endif
