/**
 * Who is logged in, in this tab: the access token in memory, the refresh token in the tab's own session storage.
 *
 * Refresh tokens are used once. A duplicated tab starts with a copy of the storage, so a refresh is made under a lock
 * and its outcome is told to the other tabs that held the same token; without that, the second use would end both.
 */

import { Problem, readProblem } from "./problem.js";

const STORED = "carrel.refresh";
const ENDED = "carrel.ended";
const LOCK = "carrel.refresh";
const EARLY = 0.25; // renew when a quarter of the life is left, at most a minute before the end
const EARLY_MS = 60_000;
// Messages of other tabs that were sent before this tab got the lock arrive within this time.
const SETTLE_MS = 60;

/** Raised when only a new login helps. */
export class SessionOver extends Error {
  over = true;
}

/** One login. `hooks.renewed(token)` is called with every later access token, `hooks.over()` when it ended. */
export class Session {
  #base;
  #hooks;
  #access = null;
  #expires = 0;
  #refresh;
  #refreshing = null;
  #timer = 0;
  #tabs = new BroadcastChannel("carrel.session");

  constructor(base, hooks) {
    this.#base = base;
    this.#hooks = hooks;
    this.#refresh = sessionStorage.getItem(STORED);
    this.#tabs.onmessage = ({ data }) => this.#adopt(data);
  }

  /** Whether a login of this tab can perhaps be continued. */
  get known() {
    return this.#refresh !== null;
  }

  /** Whether the server refused to go on with the last login of this tab, which nobody had logged out of here. */
  get ended() {
    return sessionStorage.getItem(ENDED) !== null;
  }

  /** Log in; raises `Problem` when the server refuses. */
  async login(name, password) {
    const form = new URLSearchParams({ grant_type: "password", username: name, password });
    this.#take(await this.#post("auth/token", form));
  }

  /** An access token that is still good; raises `SessionOver`, or a `TypeError` when the server cannot be reached. */
  async token({ fresh = false } = {}) {
    if (!fresh && this.#access !== null && Date.now() < this.#expires) return this.#access;
    this.#refreshing ??= this.#locked(() => this.#renew()).finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Revoke the login; never fails, the tab forgets it in any case. */
  async logout() {
    const refresh = this.#refresh;
    const access = this.#access;
    this.#forget();
    if (refresh === null) return;
    try {
      await this.#post("auth/logout", JSON.stringify({ refresh_token: refresh }), access);
    } catch {
      // Unreachable: the token is gone from this tab, and ends by itself.
    }
  }

  async #renew() {
    const mine = this.#refresh;
    if (mine === null) throw new SessionOver("Not logged in.");
    let answer;
    try {
      answer = await this.#post("auth/refresh", JSON.stringify({ refresh_token: mine }));
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500 || error.status === 429) throw error;
      if (this.#refresh === mine) {
        this.#forget();
        sessionStorage.setItem(ENDED, "yes"); // the document is loaded anew, and this is for the next
      }
      throw new SessionOver(error.message);
    }
    if (this.#refresh !== mine) throw new SessionOver("Logged out meanwhile.");
    this.#tabs.postMessage({ previous: mine, answer });
    this.#take(answer);
    return this.#access;
  }

  /** Run while no other tab refreshes; where the browser has no locks (plain HTTP on a LAN), just run. */
  #locked(action) {
    if (!navigator.locks) return action();
    return navigator.locks.request(LOCK, async () => {
      const before = this.#refresh;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return this.#refresh === before ? action() : this.#access;
    });
  }

  #adopt({ previous, answer }) {
    if (previous === this.#refresh) this.#take(answer);
  }

  #take(answer) {
    const renewed = this.#access !== null;
    const life = answer.expires_in * 1000;
    const early = Math.min(life * EARLY, EARLY_MS);
    this.#access = answer.access_token;
    this.#expires = Date.now() + life - early;
    this.#refresh = answer.refresh_token;
    sessionStorage.setItem(STORED, this.#refresh);
    sessionStorage.removeItem(ENDED);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onTime(), life - early);
    if (renewed) this.#hooks.renewed(this.#access);
  }

  async #onTime() {
    try {
      await this.token({ fresh: true });
    } catch (error) {
      if (error.over) this.#hooks.over();
      // Unreachable: whoever needs a token next asks again.
    }
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#access = null;
    this.#refresh = null;
    sessionStorage.removeItem(STORED);
  }

  async #post(path, body, access = null) {
    const headers = access === null ? {} : { Authorization: `Bearer ${access}` };
    if (typeof body === "string") headers["Content-Type"] = "application/json";
    const response = await fetch(new URL(path, this.#base), { method: "POST", body, headers, credentials: "omit" });
    if (!response.ok) throw await readProblem(response);
    return response.status === 204 ? null : response.json();
  }
}
