"""What SQLAlchemy's tests may expect. `SuiteRequirements` leaves closed what not every database has: what PostgreSQL
has is opened here; what it has not, and what shopdata refuses, is closed with the reason."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

NEWER = tuple(int(part) for part in sqlalchemy.__version__.split(".")[:2]) >= (2, 1)

POSTGRESQL_HAS = """
    aggregate_order_by array_type autocommit boolean_col_expressions check_constraint_reflection
    column_collation_reflection comment_reflection comment_reflection_full_unicode
    computed_columns_default_persisted computed_columns_reflect_persisted computed_columns_stored
    constraint_comment_reflection create_or_replace_view create_table_as cross_schema_fk_reflection ctes
    ctes_on_dml ctes_with_update_delete ctes_with_values date_historic datetime_historic datetime_interval
    datetime_literals datetime_timezone datetime_timezone_historic deferrable_fks delete_from except_
    expression_server_defaults fetch_expression fetch_first fetch_no_order_by fetch_offset_with_options fetch_ties
    fk_constraint_option_reflection_ondelete_noaction fk_constraint_option_reflection_ondelete_restrict
    fk_constraint_option_reflection_onupdate_restrict float_or_double_precision_behaves_generically
    foreign_key_constraint_name_reflection foreign_key_constraint_option_reflection_ondelete
    foreign_key_constraint_option_reflection_onupdate identity_columns identity_columns_standard
    implicit_default_schema index_ddl_if_exists index_reflects_included_columns indexes_check_column_order
    indexes_with_expressions infinity_floats inline_check_constraint_reflection intersect isolation_level json_type
    legacy_unconditional_json_extract materialized_views mod_operator_as_percent_sign multivalues_inserts
    nullsordering order_by_label_with_expression percent_schema_names precision_numerics_enotation_small
    precision_numerics_many_significant_digits precision_numerics_retains_significant_digits
    reflect_indexes_with_expressions reflect_tables_no_columns reflects_pk_names regexp_match regexp_replace
    repeated_column_foreign_keys savepoints schema_create_delete schemas sequences server_defaults
    skip_autocommit_rollback supports_bitwise_and supports_bitwise_not supports_bitwise_or supports_bitwise_shift
    supports_bitwise_xor supports_distinct_on table_ddl_if_exists table_value_constructor time_timezone
    timestamp_microseconds tuple_in unicode_ddl unique_constraints_reflect_as_index update_from uuid_data_type
    views window_functions window_range window_range_non_numeric window_range_numeric
""".split()

CLOSED = {
    "temporary tables belong to one connection, which a session does not have": """
        create_temp_table_as has_temp_table temp_table_comment_reflection temp_table_names temp_table_reflect_indexes
        temp_table_reflection temporary_tables temporary_views
    """.split(),
    "PREPARE TRANSACTION would leave behind a write that nobody tells the cache of": ["two_phase_transactions"],
    "cursors stay on one connection, which a session does not have": ["server_side_cursors"],
    "SET search_path would change a pooled connection: it is set in the conninfo": ["default_schema_name_switch"],
    "names are lower case where they are not quoted, as SQLAlchemy has them": ["denormalized_names"],
    "PostgreSQL has no FETCH FIRST ... PERCENT": ["fetch_percent"],
    "PostgreSQL has no NCHAR and NVARCHAR": ["nvarchar_types"],
    "PostgreSQL has no last row id: RETURNING tells it": ["dbapi_lastrowid"],
    "PostgreSQL rejects a foreign key that names a referenced column twice": ["repeated_remote_col_foreign_keys"],
}


class Requirements(SuiteRequirements):
    """The requirements of the suite, as the names above say."""

    def get_isolation_levels(self, config: Any) -> dict[str, Any]:
        return {
            "default": "READ COMMITTED",
            "supported": ["AUTOCOMMIT", "READ COMMITTED", "READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE"],
        }

    def get_order_by_collation(self, config: Any) -> str:
        return "POSIX"

    @property
    def computed_columns(self) -> Any:
        """SQLAlchemy 2.1 warns that PostgreSQL before 18 stores them."""
        if not NEWER:
            return exclusions.open()
        return exclusions.warns_if("postgresql < 18", ".*does not support VIRTUAL columns", False)

    @property
    def reflect_table_options(self) -> Any:
        return exclusions.open() if NEWER else exclusions.closed("SQLAlchemy 2.0 does not for PostgreSQL")


def _closed(reason: str) -> property:
    return property(lambda self: exclusions.closed(reason))  # a new one each time: decorators add to it


for name in POSTGRESQL_HAS:
    setattr(Requirements, name, property(lambda self: exclusions.open()))
for reason, names in CLOSED.items():
    for name in names:
        setattr(Requirements, name, _closed(reason))
