"""A Gradio chat."""

import gradio as gr


def respond(text: str, history: list[str]) -> tuple[str, list[str]]:
    history = [*history, text]
    return "\n".join(history), history


with gr.Blocks(title="Chat") as demo:
    history = gr.State([])
    box = gr.Textbox()
    answer = gr.Textbox()
    box.submit(respond, inputs=[box, history], outputs=[answer, history])
