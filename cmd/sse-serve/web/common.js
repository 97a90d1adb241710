// SPDX-License-Identifier: MIT
// What the pages share: their words in English and Korean, times, and how a connection is shown.

import { shared } from "./sse.js";

const WORDS = {
  // everywhere
  connecting: ["Connecting", "연결 중"],
  live: ["Live", "연결됨"],
  silent: ["Not answering", "응답 없음"],
  waiting: ["Reconnecting", "다시 연결 중"],
  denied: ["No access", "권한 없음"],
  closed: ["Closed", "닫힘"],
  since: ["since {0}", "{0}부터"],
  tried: ["tried {0}×", "{0}번 시도"],
  next: ["next try in {0} s", "{0}초 뒤 다시 시도"],
  tryNow: ["Try now", "지금 시도"],
  dismiss: ["Dismiss", "닫기"],
  copy: ["Copy", "복사"],
  copied: ["Copied", "복사됨"],
  copyWhat: ["Copy: {0}", "복사: {0}"],
  offline: ["This device is offline.", "기기가 오프라인입니다."],
  silentWhy: [
    "The server has stopped answering. The page continues as soon as it answers again.",
    "서버가 응답하지 않습니다. 응답하면 자동으로 이어집니다.",
  ],
  unstored: ["Not storing", "저장 안 됨"],
  unstoredWhy: [
    "The server cannot store events now. What you send waits in this browser. {0}",
    "서버가 지금 이벤트를 저장할 수 없습니다. 보낸 내용은 이 브라우저에서 기다립니다. {0}",
  ],
  unreachable: ["The server cannot be reached.", "서버에 연결할 수 없습니다."],
  timeout: ["The server did not answer in time.", "서버가 제때 응답하지 않았습니다."],
  lost: ["The connection to the server was lost.", "서버와의 연결이 끊어졌습니다."],
  ended: ["The server ended the connection: {0}", "서버가 연결을 끝냈습니다: {0}"],
  type: ["The server answered with {0}, which this page cannot use.", "서버가 이 페이지에서 쓸 수 없는 형식({0})으로 응답했습니다."],
  refused: ["The server answered {0}: {1}", "서버 응답 {0}: {1}"],
  broken: ["An error occurred in this page ({0}).", "이 페이지에서 문제가 생겼습니다 ({0})."],
  unshared: [
    "This address does not use https, so each tab needs its own connection, and browsers allow only six. Keep only a few tabs open.",
    "보안 연결(https)이 아니어서 탭마다 연결을 따로 씁니다. 브라우저는 연결을 여섯 개까지만 허용하므로 탭을 적게 여세요.",
  ],
  expired: [
    "The server removed some entries before this page received them. The page shows those that are still stored.",
    "이 페이지가 받기 전에 서버에서 지워진 항목이 있습니다. 남아 있는 항목만 표시합니다.",
  ],
  "unknown-log": [
    "The server has a different log than before: it is new, or was restored from a backup. The page shows what is in it now.",
    "서버의 기록이 바뀌었습니다. 새로 만들었거나 백업에서 복원했습니다. 지금 기록에 있는 내용을 표시합니다.",
  ],
  try: ["Playground", "체험"],
  users: ["Users", "사용자"],
  chat: ["Chat", "대화"],
  status: ["Status", "상태"],
  pages: ["Pages", "페이지"],

  // who one is
  logIn: ["Log in", "로그인"],
  logOut: ["Log out", "로그아웃"],
  loggingIn: ["Logging in …", "로그인하는 중 …"],
  loggedInAs: ["Logged in as ", "로그인한 이름: "],
  token: ["Token", "토큰"],
  tokenHint: [
    "Paste it once. This browser stays logged in, and the page does not store the token.",
    "한 번만 붙여 넣으면 됩니다. 토큰은 저장하지 않지만, 이 브라우저의 로그인은 유지됩니다.",
  ],
  wrongToken: [
    "This token is not valid. Check that you pasted all of it. It may also have expired.",
    "올바른 토큰이 아닙니다. 빠짐없이 붙여 넣었는지 확인하세요. 만료되었을 수도 있습니다.",
  ],
  tooMany: ["Too many attempts. Try again in {0} s.", "시도가 너무 많습니다. {0}초 뒤에 다시 시도하세요."],
  notLoggedIn: ["Not logged in: {0}", "로그인하지 못함: {0}"],
  notLoggedOut: ["Not logged out: {0}", "로그아웃하지 못함: {0}"],
  loginEnded: ["Your login has ended. Log in to continue.", "로그인이 만료되었습니다. 계속하려면 다시 로그인하세요."],
  logInFirst: ["Log in to read this.", "읽으려면 로그인하세요."],
  otherPerson: ["{0} may not read this. Log in with a token that grants access.", "{0} 님은 볼 권한이 없습니다. 권한이 있는 토큰으로 로그인하세요."],
  mayNotRead: ["You may not read this.", "읽을 권한이 없습니다."],

  // users
  usersLive: ["New users appear here as they are added.", "새 사용자가 추가되면 바로 나타납니다."],
  usersClosed: ["Log in to see the users.", "사용자를 보려면 로그인하세요."],
  usersList: ["Users, newest first", "사용자, 최근 순"],
  stored: ["stored", "명 저장됨"],
  addUser: ["Add a user", "사용자 추가"],
  firstname: ["First name", "이름"],
  lastname: ["Last name", "성"],
  notBlank: ["at least one character that is not a space", "공백이 아닌 문자를 하나 이상 입력하세요"],
  add: ["Add", "추가"],
  noUsers: [
    "No users yet. Add one above or from a terminal: it appears here at once.",
    "아직 사용자가 없습니다. 위에서, 또는 터미널에서 추가하면 바로 나타납니다.",
  ],
  nobodyYet: ["No users yet.", "아직 사용자가 없습니다."],
  fromTerminal: ["From a terminal", "터미널에서"],
  followUsers: ["Follow the users:", "새 사용자 받아 보기:"],
  addOne: ["Add one:", "추가하기:"],
  withCurl: ["Or with curl:", "curl로:"],
  isNew: ["new", "새 사용자"],
  newOne: ["New: {0}", "새 사용자: {0}"],
  newMany: ["{0} new users", "새 사용자 {0}명"],
  newAbove: ["↑ {0} new", "↑ 새 사용자 {0}명"],
  soFar: ["{0} so far", "지금까지 {0}개"],
  otherStored: ["Stored events that are not users: {0}.", "사용자가 아닌 이벤트도 {0}개 저장되어 있습니다."],
  keptHere: ["Kept in this browser until the server has stored it.", "서버에 저장될 때까지 이 브라우저에 보관합니다."],
  notInList: ["Not yet in the list", "목록에 추가되기 전"],

  // chat
  chatLive: ["New messages appear here at once.", "새 글이 올라오면 바로 나타납니다."],
  messages: ["Messages", "글"],
  message: ["Message", "글"],
  write: ["Write to {0}", "{0}에 쓰기"],
  sendIt: ["Send", "보내기"],
  yourName: ["Your name", "이름"],
  change: ["Change", "바꾸기"],
  cancel: ["Cancel", "취소"],
  join: ["Join", "들어가기"],
  nameRule: ["1 to 64 bytes, without control characters", "1~64바이트, 제어 문자는 쓸 수 없음"],
  claim: [
    "Names aren’t verified: there are no accounts, so anyone can use any name.",
    "이름을 확인하지 않습니다. 계정이 없으므로 누구나 아무 이름이나 쓸 수 있습니다.",
  ],
  claimSome: [
    "Your name isn’t verified, and others can use it too. Only the names of people who log in are theirs alone.",
    "이름을 확인하지 않으므로 다른 사람도 같은 이름을 쓸 수 있습니다. 로그인한 사람의 이름은 그 사람만 쓸 수 있습니다.",
  ],
  roomClosed: ["Log in to read this room.", "이 방을 읽으려면 로그인하세요."],
  logInToWrite: ["Log in to write here.", "쓰려면 로그인하세요."],
  mayNotWrite: ["You may read this room, but not write in it.", "이 방을 읽을 수는 있지만 글을 쓸 권한은 없습니다."],
  noNameToWrite: [
    "You have no name to write under. Add as= to the line of your token in the access file.",
    "글을 쓸 이름이 없습니다. 접근 파일에서 토큰이 적힌 줄에 as=를 더하면 이름이 생깁니다.",
  ],
  you: ["you", "나"],
  someone: ["someone", "누군가"],
  here: ["Here now", "지금 있는 사람"],
  nobody: ["Nobody has entered a name.", "이름을 입력한 사람이 없습니다."],
  rooms: ["Rooms", "대화방"],
  newRoom: ["Go to a room", "대화방으로 가기"],
  go: ["Go", "이동"],
  roomRule: [
    "letters and digits of any script, . _ ~ - and / between; no part is event, presence, . or ..; at most 195 bytes",
    "한글 등 각국 문자와 숫자, . _ ~ - 를 쓸 수 있고 /로 나눌 수 있습니다. event, presence, ., ..는 쓸 수 없으며, 최대 195바이트입니다.",
  ],
  noRoom: ["“{0}” is not a valid room name. This is the room {1}.", "“{0}”은(는) 방 이름으로 쓸 수 없습니다. 여기는 {1} 방입니다."],
  settings: ["Settings", "설정"],
  sound: ["Sound", "소리"],
  notifyMentions: ["Notify me of mentions", "나를 언급하면 알림"],
  notifyAll: ["Notify me of all messages", "이 방의 모든 글 알림"],
  howToMention: ["To mention someone, write @ before their name.", "누군가를 언급하려면 이름 앞에 @를 쓰세요."],
  mentionsYou: ["{0} mentions you", "{0} 님이 나를 언급했습니다"],
  noNotifyHere: ["This browser does not let pages show notifications.", "이 브라우저에서는 알림을 띄울 수 없습니다."],
  noNotify: ["Notifications need https or localhost.", "알림은 https나 localhost에서만 쓸 수 있습니다."],
  panel: ["People and rooms", "참여자와 대화방"],
  typingOne: ["{0} is typing …", "{0} 님이 입력하는 중 …"],
  typingTwo: ["{0} and {1} are typing …", "{0} 님과 {1} 님이 입력하는 중 …"],
  typingMany: ["Several people are typing …", "여러 사람이 입력하는 중 …"],
  pending: ["sending …", "보내는 중 …"],
  delayed: ["waiting to be sent", "전송 대기 중"],
  sent: ["sent", "보냄"],
  notSent: ["Not sent: {0}", "보내지 못함: {0}"],
  again: ["Try again", "다시 보내기"],
  remove: ["Delete", "삭제"],
  today: ["Today", "오늘"],
  yesterday: ["Yesterday", "어제"],
  beginning: ["Start of the room", "대화의 시작입니다"],
  noMessages: ["No messages yet.", "아직 글이 없습니다."],
  olderUsers: ["Load older users", "이전 사용자 보기"],
  loadOlder: ["Load older", "이전 글 보기"],
  newBelow: ["↓ {0} new", "↓ 새 글 {0}개"],
  newBelowCalled: ["↓ {0} new, you are mentioned", "↓ 새 글 {0}개, 나를 언급함"],
  toNewest: ["↓ newest", "↓ 최근 글"],
  newHere: ["new", "새 글"],
  removeWhat: ["Delete: {0}", "삭제: {0}"],
  removeSure: ["Delete for everyone?", "모두에게서 삭제할까요?"],
  removeSureWhat: ["Delete for everyone? {0}", "모두에게서 삭제할까요? {0}"],
  notRemoved: ["The message was not deleted: {0}", "글을 삭제하지 못했습니다: {0}"],
  showAll: ["Show all {0} characters", "{0}자 모두 보기"],
  inTerminal: ["This room in a terminal", "터미널에서 이 방 쓰기"],

  // status
  statusLive: ["Updated every second while this page is open.", "이 페이지가 열려 있는 동안 1초마다 갱신됩니다."],
  statusHidden: [
    "The server shows its status only on its own machine. Start it with --open-status to show it to everyone.",
    "서버 상태는 서버가 실행 중인 기기에서만 볼 수 있습니다. 모두에게 공개하려면 --open-status 옵션으로 시작하세요.",
  ],
  statusClosed: [
    "To see the server’s figures, log in with a token that grants status.",
    "서버 상태를 보려면 status 권한이 있는 토큰으로 로그인하세요.",
  ],
  streams: ["Streams", "스트림"],
  openStreams: ["Open streams", "열린 스트림"],
  published: ["Events published", "게시된 이벤트"],
  delivered: ["Events delivered", "전달된 이벤트"],
  requests: ["Topic requests", "토픽 요청"],
  each: ["{0}/s", "초당\u00a0{0}"],
  timing: ["{0} on average, peak\u00a0{1}", "평균 {0}, 최대\u00a0{1}"],
  days: ["{0}\u00a0d {1}\u00a0h", "{0}일 {1}시간"],
  hours: ["{0}\u00a0h {1}\u00a0min", "{0}시간 {1}분"],
  minutes: ["{0}\u00a0min {1}\u00a0s", "{0}분 {1}초"],
  seconds: ["{0}\u00a0s", "{0}초"],
  perSecond: ["Per second", "초당"],
  sync: ["Time to sync, last 10 minutes", "동기화 소요 시간, 최근 10분"],
  publish: ["Time to publish, last 10 minutes", "게시 소요 시간, 최근 10분"],
  windowOf: ["Memory buffer", "메모리 버퍼"],
  database: ["Database", "데이터베이스"],
  behind: ["Slow readers", "느린 수신자"],
  uptime: ["Up for", "가동 시간"],
  version: ["Version", "버전"],
  nodes: ["Nodes", "노드"],
  node: ["Node", "노드"],
  thisNode: ["{0} (this one)", "{0} (이 노드)"],
  topics: ["Topics by activity", "활동이 많은 토픽"],
  topic: ["Topic", "토픽"],
  storedNow: ["Stored now", "저장됨"],
  sinceStart: ["Since start", "시작 이후"],
  most: ["peak {0}", "최대 {0}"],
  eventStored: ["1 event", "이벤트 1개"],
  eventsStored: ["{0} events", "이벤트 {0}개"],
  ofCap: ["{0} of {1}", "{1} 중 {0}"],
  asOf: ["as of {0}", "{0} 기준"],
  lastTen: ["The last 10 minutes", "최근 10분"],
  lastMinutes: ["{0}, the last 10 minutes", "{0}, 최근 10분"],
  noTopics: ["No topics yet.", "아직 토픽이 없습니다."],
};

const KOREAN = (navigator.languages ?? []).find((language) => /^(en|ko)\b/.test(language))?.startsWith("ko") ?? false;
const LOCALE = KOREAN ? "ko" : undefined;

/** More words, of one page: a table like WORDS. */
export const addWords = (words) => Object.assign(WORDS, words);

/** The words by that name, with {0}, {1} filled in. */
export const t = (name, ...values) =>
  (WORDS[name]?.[KOREAN ? 1 : 0] ?? name).replace(/\{(\d)\}/g, (_, n) => values[n]);

export const at = (id) => document.getElementById(id);
export const number = (value) => value.toLocaleString(LOCALE);
export const clock = (date) => date.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const hour = (date) => date.toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
export const longDay = (date) => date.toLocaleDateString(LOCALE, { weekday: "long", year: "numeric", month: "long", day: "numeric" });
/** Keeps a value in one of the browser's storages. It may not be allowed, or full: then it lasts as long as the page. */
export function keepIn(storage, name, value) {
  try {
    window[storage].setItem(name, JSON.stringify(value));
  } catch {
    // As if it had been forgotten.
  }
}

export function keptIn(storage, name, otherwise) {
  try {
    return JSON.parse(window[storage].getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** A name within words, whose direction stays its own. */
export const isolate = (name) => `\u2068${name}\u2069`;
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? "" : ".");

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What a Failure of sse.js, or a state, says to a person. */
export function why({ code, status, title, detail }) {
  if (code === "refused") return t("refused", status, sentence(detail || title));
  return t(code, detail || "?");
}

/** The page is written in English: with data-text, data-label and so on it says what to put there otherwise. */
export function translate() {
  if (!KOREAN) return;
  document.documentElement.lang = "ko";
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const [name, attribute] of [["label", "aria-label"], ["title", "title"]])
    for (const element of document.querySelectorAll(`[data-${name}]`)) element.setAttribute(attribute, t(element.dataset[name]));
}

/**
 * Shows the state of a connection in #connection. Only the word and the reason are announced, the
 * counting down between them is not. Returns the handler for subscribe().
 */
export function connectionView(live, retry, home) {
  let timer = 0;
  let shown = null;
  const render = () => {
    clearTimeout(timer);
    const { word, since, due, tries } = shown;
    const parts = [t("since", clock(new Date(since)))];
    const left = due ? Math.ceil((due - Date.now()) / 1000) : 0;
    if (word === "waiting") {
      if (tries > 1) parts.push(t("tried", tries - 1));
      parts.push(left > 0 ? t("next", left) : "…");
      timer = setTimeout(render, 500);
    }
    at("connection").dataset.state = word;
    const unstored = word === "silent" && shown.code;
    setText(at("state-word"), t(unstored ? "unstored" : word));
    const reasons = { waiting: () => why(shown), silent: () => (unstored ? t("unstoredWhy", why(shown)) : t("silentWhy")), live: () => t(live), denied: () => t(shown.status === 401 ? "logInFirst" : "mayNotRead") };
    setText(at("when"), word === "connecting" || word === "denied" ? "" : parts.join(", "));
    setText(at("state-reason"), reasons[word]?.() ?? "");
    const again = at("try-now");
    again.hidden = word !== "waiting" && word !== "silent";
    if (again.hidden && document.activeElement === again) home()?.focus({ preventScroll: true });
  };
  at("try-now").addEventListener("click", retry);
  return (state) => {
    // After trouble it is live once the page has what came meanwhile.
    const late = state.word === "live" && !state.uptodate && shown?.word !== "live";
    shown = late ? { ...state, word: "connecting" } : state;
    render();
  };
}

const HIDDEN_MS = 5_000;

/** A page that nobody sees for a while needs no connection: let go of it, and come back to it. */
export function whileSeen(letGo, comeBack) {
  let hiding = 0;
  const heed = () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(letGo, HIDDEN_MS);
    else comeBack();
  };
  document.addEventListener("visibilitychange", heed);
  if (document.hidden) heed(); // it was opened out of sight
}

/** On an address without a secure context the page says what that means. */
export function tellIfUnshared() {
  at("unshared").hidden = shared;
  setText(at("unshared"), shared ? "" : t("unshared"));
}
