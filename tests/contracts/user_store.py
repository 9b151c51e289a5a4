"""What every `UserStore` promises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from carrel.context import ambient_context
from carrel.errors import InputError, IsolationError
from tests.contracts.subjects import Stores, user


class UserStoreContract:
    """Needs the fixture `stores`."""

    @pytest.mark.parametrize("value", [0, 1.5, "text \u00fc \U0001f600", True, None, [1, [2]], {"a": {"b": []}}])
    async def test_a_value_comes_back_as_it_was(self, stores: Stores, value: Any) -> None:
        ada = user("ada")
        await stores.values.put_value(ada, "key", value)
        assert await stores.values.get_value(ada, "key") == value

    async def test_a_value_is_replaced_and_deleted(self, stores: Stores) -> None:
        ada = user("ada")
        assert await stores.values.get_value(ada, "key") is None
        await stores.values.put_value(ada, "key", 1)
        await stores.values.put_value(ada, "key", 2)
        assert await stores.values.get_value(ada, "key") == 2
        await stores.values.delete_value(ada, "key")
        await stores.values.delete_value(ada, "key")
        assert await stores.values.get_value(ada, "key") is None

    async def test_what_the_giver_changes_later_is_not_stored(self, stores: Stores) -> None:
        ada = user("ada")
        value = [1]
        await stores.values.put_value(ada, "key", value)
        value.append(2)
        assert await stores.values.get_value(ada, "key") == [1]

    async def test_users_have_values_of_their_own(self, stores: Stores) -> None:
        ada, bob = user("ada"), user("bob")
        await stores.values.put_value(ada, "key", "ada's")
        await stores.values.put_value(bob, "key", "bob's")
        await stores.values.delete_value(bob, "key")
        assert await stores.values.get_value(ada, "key") == "ada's"
        assert await stores.values.get_value(bob, "key") is None
        assert list(await stores.values.list_keys(bob)) == []

    async def test_keys_are_listed_sorted_by_their_exact_prefix(self, stores: Stores) -> None:
        ada = user("ada")
        for key in ("b", "a_2", "a%1", "A_3", "ab"):
            await stores.values.put_value(ada, key, 1)
        assert list(await stores.values.list_keys(ada)) == ["A_3", "a%1", "a_2", "ab", "b"]
        assert list(await stores.values.list_keys(ada, "a")) == ["a%1", "a_2", "ab"]
        assert list(await stores.values.list_keys(ada, "a_")) == ["a_2"]
        assert list(await stores.values.list_keys(ada, "a%")) == ["a%1"]

    @pytest.mark.parametrize("value", [object(), {"a": {1, 2}.__iter__()}, "x" * 64 * 1024])
    async def test_what_is_no_json_or_too_much_is_refused(self, stores: Stores, value: Any) -> None:
        ada = user("ada")
        await stores.values.put_value(ada, "key", "before")
        with pytest.raises(InputError, match="value"):
            await stores.values.put_value(ada, "key", value)
        assert await stores.values.get_value(ada, "key") == "before"

    async def test_nothing_works_while_working_for_another_user(self, stores: Stores) -> None:
        ada = user("ada")
        await stores.values.put_value(ada, "key", 1)
        calls: list[Callable[[], Awaitable[Any]]] = [
            lambda: stores.values.get_value(ada, "key"),
            lambda: stores.values.put_value(ada, "key", 2),
            lambda: stores.values.delete_value(ada, "key"),
            lambda: stores.values.list_keys(ada),
        ]
        with ambient_context(user("bob")):
            for call in calls:
                with pytest.raises(IsolationError):
                    await call()
        assert await stores.values.get_value(ada, "key") == 1
