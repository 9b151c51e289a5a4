/** What the server says when it refuses: RFC 9457 problem details. */

/** An error answer; `code` is stable, `message` is for people, `details` is the whole body. */
export class Problem extends Error {
  constructor(status, details) {
    super(details.detail || details.title || `The server answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.code = details.code ?? "";
    this.details = details;
  }
}

/** The problem that a response describes, whatever its body is. */
export async function readProblem(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const details = type.includes("json") ? await response.json().catch(() => ({})) : {};
  return new Problem(response.status, details);
}

/** What to tell people about any error of a request. */
export function explain(error) {
  return error instanceof TypeError ? "The server cannot be reached. Try again in a moment." : error.message;
}
