"""A Streamlit dashboard of the signed-in user's invoices."""

import streamlit as st

INVOICES: dict[str, list[str]] = {}


@st.cache_data(ttl=600)
def load_invoices() -> list[str]:
    return INVOICES.get(st.session_state["user_id"], [])


def page() -> str:
    st.title("Invoices")
    rows = load_invoices()
    return "\n".join(rows)
