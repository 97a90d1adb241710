// SPDX-License-Identifier: MIT
// Who one is, on each page: the log-in, the log-out, and what follows from it. Where everyone may do everything,
// nothing of this is to be seen.
//
// A page belongs to one person. For another it is loaded anew, so that nothing of the one before is left in it.

import { forgetAll } from "./chat-kept.js";
import { at, setText, t, why } from "./common.js";
import { login, logout, may as mayOf, session as askSession, watchSession } from "./sse.js";

let session = null;
let person; // whose page this is: their name, or null for nobody's
let home = () => null; // what gets the focus when the log-in goes
let wish = { words: "", form: false }; // what the page says above the log-in
let opened = false; // the form, by the button
let busy = false;

/** May who is here do that? verb: publish or read. */
export const may = (verb, topic) => session !== null && mayOf(session, verb, topic);

/** How a person is called. */
export const nameOf = ({ as, name }) => as ?? name ?? "";

/** What a connection's state is where there is none, since one may not read. */
export const noAccess = () => ({ word: "denied", status: session.name === null ? 401 : 403, since: Date.now() });

/**
 * Calls show(session) as soon as it is known who one is, and at each change. options: state, as for subscribe, until
 * then; home, which returns what gets the focus when the log-in goes. Returns what has retry().
 */
export function begin(show, { state, home: place }) {
  home = place;
  return watchSession((now, by) => {
    const other = session && (now.access !== session.access || by === "logout" || (now.name && now.name !== person));
    if (other) return void leave(by);
    if (!session) person = now.name ?? null;
    session = now;
    render();
    show(session);
  }, { state });
}

/** The state of a connection says that who one is does not do: is that news? */
export function heed({ word }) {
  if (word === "denied") askSession().catch(() => {}); // it cannot be reached: the state will say so
}

/** What the page says to who may not do something. */
export function say(words) {
  wish = { words, form: false };
  render();
}

/** The same to who may not even see it: they get the log-in, too. */
export function close(words) {
  wish = { words: session.name === null ? words : t("otherPerson", nameOf(session)), form: true };
  render();
}

function leave(by) {
  document.documentElement.hidden = true;
  if (by === "logout") forgetAll();
  location.reload();
}

// A page that comes back from the browser's memory may be seen by the next person.
addEventListener("pagehide", () => {
  if (person) document.documentElement.hidden = true;
});
addEventListener("pageshow", (event) => {
  if (event.persisted && person) location.reload();
});

// --- what is to be seen of it -----------------------------------------------

function make(name, { attributes = {}, ...properties }, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** Made when it is needed first: a page without access control has none of it. */
function build() {
  const button = (id, type, more) => make("button", { id, type, textContent: t(id), ...more });
  const input = make("input", {
    id: "token", type: "password", required: true, autocomplete: "current-password", spellcheck: false,
    attributes: { autocapitalize: "none", "aria-describedby": "token-hint login-error" },
  });
  const form = make("form", { id: "login-form" },
    make("div", { className: "field" }, make("label", { htmlFor: "token", textContent: t("token") }), input),
    make("p", { className: "token-hint", id: "token-hint", textContent: t("tokenHint") }),
    button("logIn", "submit"));
  at("access").append(
    make("p", { id: "access-words", attributes: { role: "status" } }),
    button("openLogin", "button", { className: "again", textContent: t("logIn"), attributes: { "aria-controls": "login-form" } }),
    form,
    make("p", { className: "form-error", id: "login-error", attributes: { role: "alert" } }));
  at("account").append(
    make("span", { className: "unseen-text", textContent: t("loggedInAs") }),
    make("bdi", { id: "account-name" }),
    button("logOut", "button", { className: "plain" }),
    button("showLogin", "button", { className: "again", textContent: t("logIn"), attributes: { "aria-controls": "login-form" } }));
  form.addEventListener("submit", submit);
  input.addEventListener("input", () => fault(""));
  form.addEventListener("keydown", (event) => event.key === "Escape" && giveUp());
  at("logOut").addEventListener("click", goOut);
  at("openLogin").addEventListener("click", open);
  at("showLogin").addEventListener("click", () => (opened ? giveUp() : open()));
}

function render() {
  if (!session.access) return;
  if (!at("login-form")) build();
  const named = session.name !== null;
  const form = opened || wish.form;
  const words = !named && person ? t("loginEnded") : wish.words;
  at("account").hidden = !named && wish.form;
  for (const element of at("account").children) element.hidden = element.id === "showLogin" ? named || wish.form : !named;
  setText(at("account-name"), nameOf(session));
  setText(at("access-words"), words);
  at("access-words").hidden = !words;
  at("login-form").hidden = !form;
  at("openLogin").hidden = form || named || !words;
  at("showLogin").setAttribute("aria-expanded", form);
  at("openLogin").setAttribute("aria-expanded", form);
  at("access").hidden = !(words || form || at("login-error").textContent);
  for (const link of document.querySelectorAll(".pages [href$=status]:not([aria-current])")) link.hidden = !session.status;
}

function open() {
  opened = true;
  render();
  at("token").focus();
}

function giveUp() {
  if (wish.form) return;
  opened = false;
  fault("");
  at(at("openLogin").hidden ? "showLogin" : "openLogin").focus();
}

function fault(words) {
  setText(at("login-error"), words);
  if (words) at("token").setAttribute("aria-invalid", "true");
  else at("token").removeAttribute("aria-invalid");
  render();
}

function setBusy(on) {
  busy = on;
  at("logIn").disabled = on;
  at("logIn").textContent = t(on ? "loggingIn" : "logIn");
  at("token").readOnly = on;
}

async function submit(event) {
  event.preventDefault();
  if (busy) return;
  setBusy(true);
  fault("");
  try {
    await login(at("token").value.trim());
    at("token").value = "";
    opened = false;
    render();
    home()?.focus({ preventScroll: true });
  } catch (failure) {
    fault(faultOf(failure));
    at("token").select();
  } finally {
    setBusy(false);
  }
}

function faultOf(failure) {
  if (failure.status === 401) return t("wrongToken");
  if (failure.status === 429) return t("tooMany", Math.max(1, Math.ceil((failure.after ?? 0) / 1000)));
  return t("notLoggedIn", why(failure));
}

async function goOut() {
  try {
    await logout();
  } catch (failure) {
    fault(t("notLoggedOut", why(failure)));
  }
}
