/** Reads server-sent events from a response; `EventSource` cannot send the Authorization header. */

/** Yields `{id, event, data}` per message, and `{comment}` for each comment line; `heartbeat` is one. */
export async function* readEvents(stream) {
  let message = { id: "", event: "", data: [] };
  for await (const line of readLines(stream)) {
    if (line === "") {
      if (message.data.length > 0) {
        yield { id: message.id, event: message.event || "message", data: message.data.join("\n") };
      }
      message = { id: message.id, event: "", data: [] };
      continue;
    }
    if (line.startsWith(":")) {
      yield { comment: line.slice(1).trim() };
      continue;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "data") message.data.push(value);
    else if (field === "event" || field === "id") message[field] = value;
  }
}

async function* readLines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
