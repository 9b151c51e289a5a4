"""A Streamlit dashboard of the signed-in user's invoices."""

import streamlit as st

INVOICES: dict[str, list[str]] = {}


@st.cache_data(ttl=600)
def load_invoices(user_id: str) -> list[str]:
    return INVOICES.get(user_id, [])


def page() -> str:
    st.title("Invoices")
    rows = load_invoices(st.session_state["user_id"])
    return "\n".join(rows)
