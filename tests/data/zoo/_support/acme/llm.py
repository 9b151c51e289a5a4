"""The company's model gateway. Here it echoes what it was asked."""

import outside


async def complete(prompt, **options):
    await outside.call()
    return f"You said: {prompt}"


def complete_blocking(prompt, **options):
    outside.call_blocking()
    return f"You said: {prompt}"


async def stream(prompt):
    for word in str(prompt).split():
        await outside.call()
        yield word
