"""The shape of the schema: owners first, constraints named."""

from __future__ import annotations

import pytest
from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint

from carrel.storage.schema import metadata

OWNED = [table for table in metadata.sorted_tables if "user_id" in table.c and table.name != "users"]


@pytest.mark.parametrize("table", OWNED, ids=lambda table: table.name)
def test_the_owner_comes_first_in_every_key_and_index(table: Table) -> None:
    for constraint in [*table.constraints, *table.indexes]:
        if isinstance(constraint, (Index, PrimaryKeyConstraint, UniqueConstraint)):
            columns = [column.name for column in constraint.columns]
            # A key of one column is a row number or the owner's own id, which says nothing about another user.
            assert columns[0] == "user_id" or len(columns) == 1, f"{table.name}: {columns}"


@pytest.mark.parametrize("table", OWNED, ids=lambda table: table.name)
def test_every_owned_row_has_an_owner(table: Table) -> None:
    assert not table.c.user_id.nullable


def test_every_constraint_has_a_name_that_a_migration_can_use() -> None:
    for table in metadata.sorted_tables:
        for constraint in [*table.constraints, *table.indexes]:
            assert getattr(constraint, "name", None), f"{table.name}: {constraint}"
