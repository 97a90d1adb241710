// SPDX-License-Identifier: MIT
// What calls somebody who looks elsewhere: a sound, and notifications, for those who asked for them.

import { keep, kept } from "./chat-kept.js";
import { at, isolate, setText, t } from "./common.js";

const KINDS = ["notify-mentions", "notify-all"];
let audio = null;

function beep() {
  audio ??= new AudioContext();
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  const now = audio.currentTime;
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.06, now);
  volume.gain.exponentialRampToValueAtTime(0.0001, now + 0.25);
  tone.connect(volume).connect(audio.destination);
  tone.start(now);
  tone.stop(now + 0.25);
}

/** Some browsers, as those on Android, have the word and throw; without leave it shows nothing. */
function notifies() {
  try {
    if (Notification.permission !== "granted") new Notification("");
    return true;
  } catch {
    return false;
  }
}

function forgoNotifications(words) {
  for (const kind of KINDS) Object.assign(at(kind), { checked: false, disabled: true });
  at("no-notify").hidden = false;
  setText(at("no-notify"), t(words));
}

/** The boxes of the settings. The browser is asked for leave when one of them is ticked, and not before. */
export function beginAlerts() {
  const able = "Notification" in window && isSecureContext;
  at("sound").checked = kept("sound", false);
  at("sound").addEventListener("change", () => {
    keep("sound", at("sound").checked);
    if (at("sound").checked) beep();
  });
  for (const kind of KINDS) {
    const box = at(kind);
    box.checked = able && Notification.permission === "granted" && kept(kind, false);
    box.addEventListener("change", async () => {
      if (box.checked) box.checked = (await Notification.requestPermission()) === "granted";
      keep(kind, box.checked);
    });
  }
  if (!able) forgoNotifications("noNotify");
  else if (!notifies()) forgoNotifications("noNotifyHere");
}

/** Whatever goes wrong here, the message is shown. */
export function alertFor({ id, name, text }, { room, calling }) {
  if (!document.hidden) return;
  try {
    if (at("sound").checked) beep();
  } catch {
    // No device that could sound.
  }
  if (!at("notify-all").checked && !(calling && at("notify-mentions").checked)) return;
  const who = isolate(name || t("someone"));
  try {
    const note = new Notification(`${calling ? t("mentionsYou", who) : who} · ${room}`, { body: text.slice(0, 200), tag: id });
    note.addEventListener("click", () => (window.focus(), note.close()));
  } catch {
    forgoNotifications("noNotifyHere");
  }
}
