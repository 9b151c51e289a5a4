"""A Streamlit page that answers questions about a contract."""

import streamlit as st


class RetrievalChain:
    """A model with a retriever; what was said before is part of the prompt."""

    def __init__(self, memory: list[str] | None = None):
        self.memory = memory if memory is not None else []

    def invoke(self, question: str) -> str:
        self.memory.append(question)
        return f"asked: {self.memory}"


@st.cache_resource
def get_prompt() -> str:
    return "Answer from the contract."


def get_chain() -> RetrievalChain:
    if "memory" not in st.session_state:
        st.session_state["memory"] = [get_prompt()]
    return RetrievalChain(st.session_state["memory"])


def page(question: str) -> str:
    st.title("Contract")
    return get_chain().invoke(question)
