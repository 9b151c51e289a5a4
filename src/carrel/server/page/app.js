/** Starts the page: logs in, or goes on with the login that this tab has, and opens the workspace. */

import { LoginView } from "./login.js";
import { Session } from "./session.js";
import { Workspace } from "./workspace.js";

const base = new URL("api/v1/", document.baseURI);
let workspace = null;

const session = new Session(base, {
  renewed: (token) => workspace?.renew(token),
  over: () => leave(),
});

/** Show the login of a page that has never held anything of a user. */
function leave() {
  workspace?.close();
  location.replace(location.pathname); // without a fragment this loads the document anew
}

function enter() {
  document.getElementById("login").hidden = true;
  workspace = new Workspace(base, session, { leave });
  workspace.open();
}

const login = new LoginView(document.getElementById("login"), async (name, password) => {
  await session.login(name, password);
  enter();
});

if (session.known) enter();
else login.show({ ended: session.ended });
