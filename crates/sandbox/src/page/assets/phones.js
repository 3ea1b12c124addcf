// The phones page: who, which chat, write.
import { call, watch } from "./api.js";
import { bubble } from "./bubbles.js";
import { byId, h } from "./dom.js";
import * as provider from "./provider.js";

const CHANNEL_LABEL = {
  whatsapp_cloud: "WhatsApp",
  messenger: "Messenger",
  instagram: "Instagram",
  green_api: "Green API",
  linked_whatsapp: "Linked phone",
};

const EVERYWHERE = ["whatsapp_cloud", "messenger", "instagram", "green_api", "linked_whatsapp"];
const ATTACHMENTS = [
  { label: "Photo", action: { kind: "image" }, on: EVERYWHERE },
  { label: "Voice", action: { kind: "voice" }, on: EVERYWHERE },
  { label: "Video", action: { kind: "video" }, on: EVERYWHERE },
  { label: "Document", action: { kind: "document", caption: "Bukti transfer" }, on: ["whatsapp_cloud", "messenger", "green_api", "linked_whatsapp"] },
  { label: "Sticker", action: { kind: "sticker" }, on: EVERYWHERE },
  {
    label: "Location",
    action: { kind: "location", latitude: -6.1754, longitude: 106.8272, name: "Monas" },
    on: ["whatsapp_cloud", "messenger", "green_api", "linked_whatsapp"],
  },
  {
    label: "Contact",
    action: { kind: "contacts", contacts: [{ name: "Budi Santoso", phone: "+62 812-2233-4455" }] },
    on: ["whatsapp_cloud", "green_api", "linked_whatsapp"],
  },
  { label: "Get started", action: { kind: "postback", title: "Get started", payload: "GET_STARTED" }, on: ["messenger", "instagram"] },
  { label: "Story reply", action: { kind: "story_reply", text: "Keren!" }, on: ["instagram"] },
  { label: "Unsupported", action: { kind: "unsupported" }, on: EVERYWHERE },
];

/** What is on the screen. `about`: the entry that the next text answers or edits. */
const state = { customers: [], inboxes: [], customer: null, inbox: null, about: null, drawn: "" };

/** What its owner does with a phone that is linked to the server. */
const OWNER = {
  "owner-scan": (id) => call("POST", `/linked/${id}/scan`, {}),
  "owner-type": (id) => {
    const code = prompt("Code shown by the server");
    return code === null ? null : call("POST", `/linked/${id}/code`, { code });
  },
  "owner-offline": (id) => call("PATCH", `/linked/${id}`, { offline: true }),
  "owner-online": (id) => call("PATCH", `/linked/${id}`, { offline: false }),
  "owner-ban": (id) => call("PATCH", `/linked/${id}`, { ban_seconds: 60 }),
  "owner-logout": (id) => call("POST", `/linked/${id}/logout`),
};

/** Shows the business' own phone, where the server is linked to one. */
async function showOwner(inbox) {
  const owner = inbox.channel === "linked_whatsapp" ? await call("GET", `/linked/${inbox.id}`) : null;
  byId("owner").hidden = owner === null;
  if (owner === null) return;
  const banned = owner.banned_until_ms !== null && owner.banned_until_ms > Date.now();
  const what = banned ? "banned" : owner.offline ? "offline" : owner.connected ? "linked" : owner.linked ? "not connected" : "not linked";
  byId("owner-state").textContent = `business phone: ${what}`;
  byId("owner-state").className = `pill ${owner.connected ? "quiet" : "waits"}`;
  byId("owner-scan").hidden = owner.linked;
  byId("owner-type").hidden = owner.linked;
  byId("owner-offline").hidden = owner.offline;
  byId("owner-online").hidden = !owner.offline;
  byId("owner-logout").hidden = !owner.linked;
}

/** Performs something and shows what went wrong, if anything. */
async function run(action) {
  byId("problem").textContent = "";
  try {
    await action();
  } catch (error) {
    byId("problem").textContent = error.message;
  }
  await refresh();
}

const chatPath = () => `/customers/${state.customer}/chats/${state.inbox}`;

async function act(action) {
  await run(() => call("POST", `/customers/${state.customer}/messages`, { inbox_id: state.inbox, ...action }));
}

const does = {
  act,
  reply: (entry) => setAbout({ entry, edit: false }),
  edit: (entry) => setAbout({ entry, edit: true }),
};

function setAbout(about) {
  state.about = about;
  const line = byId("about");
  line.hidden = about === null;
  if (about === null) return;
  line.querySelector("span").textContent = `${about.edit ? "Editing" : "Answering"}: ${about.entry.text ?? about.entry.kind}`;
  if (about.edit) byId("text").value = about.entry.text;
  byId("text").focus();
}

/** Leaves the chat on the screen and looks at another one. */
async function select(customer, inbox) {
  if (state.customer === customer && state.inbox === inbox) return;
  const looking = byId("looking").checked && state.customer && state.inbox;
  const left = chatPath();
  state.customer = customer;
  state.inbox = inbox;
  state.drawn = "";
  setAbout(null);
  await run(async () => {
    if (looking) await call("POST", `${left}/close`);
    if (customer && inbox && byId("looking").checked) await call("POST", `${chatPath()}/open`);
  });
}

let refreshing = false;
let again = false;

/** Asks for everything shown; calls that come meanwhile are answered by one more round. */
async function refresh() {
  again = true;
  if (refreshing) return;
  refreshing = true;
  try {
    while (again) {
      again = false;
      await load();
    }
  } catch (error) {
    byId("problem").textContent = `The sandbox does not answer: ${error.message}`;
  } finally {
    refreshing = false;
  }
}

async function load() {
  [state.customers, state.inboxes] = await Promise.all([call("GET", "/customers?limit=200"), call("GET", "/inboxes")]);
  // A load run makes thousands of customers; nobody looks at their phones.
  state.customers = state.customers.filter((customer) => !customer.id.startsWith("load-"));
  const order = Object.keys(CHANNEL_LABEL);
  state.inboxes.sort((one, other) => order.indexOf(one.channel) - order.indexOf(other.channel));
  if (!state.customers.some((customer) => customer.id === state.customer)) {
    if (state.customer) provider.forget();
    state.customer = state.customers[0]?.id ?? null;
    state.drawn = "";
  }
  state.inbox ??= state.inboxes[0]?.id ?? null;
  drawCustomers();
  drawInboxes();
  await drawChat();
  await provider.refresh();
}

function drawCustomers() {
  const key = JSON.stringify([state.customers, state.customer]);
  if (byId("customers").dataset.key === key) return;
  byId("customers").dataset.key = key;
  const items = state.customers.map((customer) => {
    const initials = customer.name.split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("");
    const address = customer.phone ? `+${customer.phone}` : customer.username ? `@${customer.username}` : customer.bsuid;
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          "aria-current": customer.id === state.customer ? "true" : null,
          onclick: () => select(customer.id, state.inbox),
        },
        h("span", { class: "face", "aria-hidden": "true" }, initials),
        h("span", { class: "text" }, h("span", { class: "name" }, customer.name), h("small", {}, address)),
      ),
    );
  });
  byId("customers").replaceChildren(...items);
}

function drawInboxes() {
  const key = JSON.stringify([state.inboxes.map((inbox) => [inbox.id, inbox.channel]), state.inbox]);
  if (byId("inboxes").dataset.key === key) return;
  byId("inboxes").dataset.key = key;
  const several = new Set(state.inboxes.map((inbox) => inbox.channel)).size < state.inboxes.length;
  const tab = (inbox) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(inbox.id === state.inbox),
        onclick: () => select(state.customer, inbox.id),
      },
      several ? `${CHANNEL_LABEL[inbox.channel]} ${inbox.name}` : CHANNEL_LABEL[inbox.channel],
    );
  byId("inboxes").replaceChildren(...state.inboxes.map(tab));
  const channel = state.inboxes.find((inbox) => inbox.id === state.inbox)?.channel;
  const offered = ATTACHMENTS.filter((attachment) => attachment.on.includes(channel));
  byId("attach").replaceChildren(
    ...offered.map(({ label, action }) => h("button", { type: "button", onclick: () => act(action) }, label)),
  );
  byId("change-number").hidden = channel !== "whatsapp_cloud";
}

async function drawChat() {
  const customer = state.customers.find((other) => other.id === state.customer);
  const inbox = state.inboxes.find((other) => other.id === state.inbox);
  byId("composer").hidden = byId("phone-state").hidden = byId("chat").hidden = !customer;
  if (!customer || !inbox) {
    byId("phone-title").textContent = "No customer yet";
    byId("phone-sub").textContent = "Add one on the left: the phone appears here.";
    byId("chat").replaceChildren();
    return;
  }
  byId("phone-title").textContent = `${customer.name}’s phone`;
  byId("phone-sub").textContent = `writes to ${inbox.name}`;
  byId("online").checked = customer.online;
  await drawInstance(inbox);
  const chat = await call("GET", chatPath());
  const began = chat.last_customer_message_ms !== null;
  byId("window").textContent = began ? (chat.window_open ? "reply window open" : "reply window closed") : "has not written yet";
  byId("window").className = `pill ${began && !chat.window_open ? "waits" : "quiet"}`;
  byId("silence").disabled = !began;
  byId("typing").textContent = chat.business_typing ? `${inbox.name} is typing…` : "";
  const drawn = JSON.stringify([customer.id, inbox.id, chat.entries]);
  if (drawn === state.drawn) return;
  state.drawn = drawn;
  const list = byId("chat");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const lines = chat.entries.filter((entry) => entry.kind !== "reaction");
  list.replaceChildren(...lines.map((entry) => bubble(entry, chat.entries, does)));
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** Behind an inbox of Green API stands a phone of the business: whether it is linked, and what links it. */
async function drawInstance(inbox) {
  await showOwner(inbox);
  const behind = inbox.channel === "green_api" ? (await call("GET", `/green/${inbox.id}`)).state : null;
  const linked = behind === "authorized";
  byId("instance").textContent = behind === null ? "" : linked ? "business phone linked" : `business phone: ${behind}`;
  byId("instance").className = `pill ${linked ? "quiet" : "waits"}`;
  byId("scan").hidden = behind !== "notAuthorized";
}

function setUp() {
  byId("new-customer").addEventListener("submit", (event) => {
    event.preventDefault();
    const { name, phone, bsuid_only } = event.target.elements;
    run(async () => {
      const made = await call("POST", "/customers", {
        name: name.value.trim(),
        phone: phone.value.trim() || undefined,
        bsuid_only: bsuid_only.checked,
      });
      event.target.reset();
      await select(made.id, state.inbox);
      byId("text").focus();
    });
  });
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  byId("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  byId("about").querySelector("button").addEventListener("click", () => setAbout(null));
  byId("online").addEventListener("change", (event) =>
    run(() => call("PATCH", `/customers/${state.customer}`, { online: event.target.checked })),
  );
  byId("looking").checked = true;
  byId("looking").addEventListener("change", (event) =>
    run(() => call("POST", `${chatPath()}/${event.target.checked ? "open" : "close"}`)),
  );
  byId("silence").addEventListener("click", () => run(() => call("POST", `${chatPath()}/silence`, { hours: 24 })));
  byId("change-number").addEventListener("click", () => {
    const phone = prompt("The new WhatsApp number", "+62 857-7001-1223");
    if (phone) run(() => call("POST", `/customers/${state.customer}/number`, { phone }));
  });
  for (const [id, act] of Object.entries(OWNER)) {
    byId(id).addEventListener("click", () => run(() => act(state.inbox)));
  }
  byId("scan").addEventListener("click", () => run(() => call("PATCH", `/green/${state.inbox}`, { state: "authorized" })));
  provider.setUp(run);
}

async function send() {
  const text = byId("text").value.trim();
  if (text === "") return;
  const about = state.about;
  byId("text").value = "";
  setAbout(null);
  if (about?.edit) await act({ kind: "edit", message_id: about.entry.id, text });
  else await act({ kind: "text", text, reply_to: about?.entry.id });
  byId("chat").scrollTop = byId("chat").scrollHeight;
}

setUp();
await refresh();
if (state.customer && state.inbox) await run(() => call("POST", `${chatPath()}/open`));
watch(refresh);
