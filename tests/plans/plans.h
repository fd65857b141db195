/* plans.h - statements and what the library must make of them, told as sdi_plan_explain tells it, by kind; schema.h is
 * what they are about. tests/integration/test_catalog.c holds them against a server, tests/unit/model/test_plan.c
 * against what a server answered once (recorded.h), and doc/sql.md is made of them. */
#ifndef SDI_TESTS_PLANS_H
#define SDI_TESTS_PLANS_H
/* clang-format off */

#include "schema.h"

/* A heading has no explanation. */
#define KIND(title) {title, NULL},

static const struct {
    const char *sql;
    const char *explained;
} plans[] = {
#include "keys.h"
#include "behind.h"
#include "calls.h"
#include "writes.h"
#include "schema_changes.h"
};

#define PLAN_COUNT (sizeof plans / sizeof *plans)

/* clang-format on */
#endif
