/** The HTTP interface below `/api/v1`, as the logged-in user. */

import { readProblem } from "./problem.js";
import { readEvents } from "./sse.js";

export class Api {
  #base;
  #session;

  constructor(base, session) {
    this.#base = base;
    this.#session = session;
  }

  get(path) {
    return this.#json("GET", path);
  }

  post(path, body) {
    return this.#json("POST", path, body);
  }

  patch(path, body) {
    return this.#json("PATCH", path, body);
  }

  delete(path) {
    return this.#json("DELETE", path);
  }

  /** The user's log as server-sent events, one run of it, after `(epoch, offset)`; ends when `signal` aborts. */
  async *events({ epoch, offset, runId, signal }) {
    const query = new URLSearchParams({ after: `${epoch}:${offset}`, run_id: runId });
    const response = await this.#fetch(`events?${query}`, { headers: { Accept: "text/event-stream" }, signal });
    yield* readEvents(response.body);
  }

  /** Post a form with upload progress (`fetch` has none): `progress(sent, total)` in bytes. */
  async upload(path, form, progress) {
    const answer = await this.#send(path, form, progress, await this.#session.token());
    if (answer.status !== 401) return this.#uploaded(answer);
    return this.#uploaded(await this.#send(path, form, progress, await this.#session.token({ fresh: true })));
  }

  #send(path, form, progress, token) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", new URL(path, this.#base));
      request.setRequestHeader("Authorization", `Bearer ${token}`);
      request.upload.onprogress = (event) => progress(event.loaded, event.total);
      request.onload = () =>
        resolve(
          new Response(request.responseText, {
            status: request.status,
            headers: { "Content-Type": request.getResponseHeader("Content-Type") ?? "" },
          }),
        );
      request.onerror = () => reject(new TypeError("The upload broke off."));
      request.send(form);
    });
  }

  async #uploaded(response) {
    if (!response.ok) throw await readProblem(response);
    return response.json();
  }

  async #json(method, path, body) {
    const init = { method, headers: {} };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers["Content-Type"] = "application/json";
    }
    const response = await this.#fetch(path, init);
    return response.status === 204 ? null : response.json();
  }

  async #fetch(path, init) {
    let response = await this.#once(path, init, await this.#session.token());
    if (response.status === 401) response = await this.#once(path, init, await this.#session.token({ fresh: true }));
    if (!response.ok) throw await readProblem(response);
    return response;
  }

  #once(path, init, token) {
    const headers = { ...init.headers, Authorization: `Bearer ${token}` };
    return fetch(new URL(path, this.#base), { ...init, headers, credentials: "omit" });
  }
}
