"""A Gradio chat."""

import gradio as gr


def respond(text: str) -> str:
    history.append(text)
    return "\n".join(history)


with gr.Blocks(title="Chat") as demo:
    history: list[str] = []
    box = gr.Textbox()
    answer = gr.Textbox()
    box.submit(respond, inputs=[box], outputs=[answer])
