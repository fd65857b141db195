"""SQLAlchemy's own tests of a dialect, as its README.dialects.rst has it; ../test_sqlalchemy_suite.py runs them."""

import pytest

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403
