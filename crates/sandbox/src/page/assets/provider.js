// The side panel: faults, time, webhooks.
import { call } from "./api.js";
import { byId, clock, h } from "./dom.js";

/** Names of faults and, for some, the one value they need. */
const FAULTS = {
  latency: { label: "Slow answers", field: ["latency_ms", "Milliseconds", 3000] },
  too_many_requests: { label: "429 Too many requests", field: ["retry_after_s", "Retry after (seconds)", 5] },
  internal_error: { label: "500 Internal error" },
  unavailable: { label: "503 Unavailable" },
  cut_before: { label: "Connection cut, not sent" },
  cut_after: { label: "Connection cut, but sent" },
  late_answer: { label: "Sent at once, answered late", field: ["late_ms", "Milliseconds", 3000] },
  error_code: { label: "Error with a code", field: ["code", "Code", 131000] },
  garbage: { label: "Garbage answer" },
  huge_answer: { label: "100 MB answer" },
  redirect: { label: "Redirect", field: ["location", "To", "http://169.254.169.254/"] },
  duplicate_webhook: { label: "Webhook sent twice" },
  out_of_order_webhook: { label: "Webhook comes late" },
  dropped_status: { label: "Status never told" },
  failed_status: { label: "Message fails later", field: ["code", "Code", 131026] },
};

const CHANNELS = {
  whatsapp_cloud: "WhatsApp",
  messenger: "Messenger",
  instagram: "Instagram",
  green_api: "Green API",
  linked_whatsapp: "Linked phone",
  chatwoot: "Chatwoot",
};

let lastDrawn = "";

/** Wires the panel; `run` performs a call and shows what went wrong. */
export function setUp(run) {
  const form = byId("fault");
  form.elements.fault.append(...Object.entries(FAULTS).map(([value, { label }]) => h("option", { value }, label)));
  form.elements.fault.addEventListener("change", () => showField(form));
  showField(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => call("POST", `/faults/${form.elements.channel.value}`, rule(form)));
  });
  byId("clear-faults").addEventListener("click", () => run(() => call("DELETE", "/faults")));
  for (const button of document.querySelectorAll("[data-hours]")) {
    const by_ms = Number(button.dataset.hours) * 3_600_000;
    button.addEventListener("click", () => run(() => call("POST", "/clock/shift", { by_ms })));
  }
  byId("target").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = event.target.elements.url.value.trim() || null;
    run(() => call("PATCH", "/settings", { webhook: { url } }));
  });
  call("GET", "/settings").then((settings) => {
    byId("target").elements.url.value = settings.webhook.url ?? "";
  });
}

function showField(form) {
  const field = FAULTS[form.elements.fault.value].field;
  byId("fault-value").hidden = !field;
  if (!field) return;
  byId("fault-value").querySelector("span").textContent = field[1];
  form.elements.value.value = field[2];
}

function rule(form) {
  const fault = form.elements.fault.value;
  const made = { fault };
  const field = FAULTS[fault].field;
  if (field) made[field[0]] = typeof field[2] === "number" ? Number(form.elements.value.value) : form.elements.value.value;
  if (form.elements.often.value === "next") made.next = Number(form.elements.next.value);
  else made.rate = Number(form.elements.percent.value) / 100;
  return made;
}

/** Draws rules, clock and the newest webhooks. */
export async function refresh() {
  const [faults, time, health, settings] = await Promise.all(
    ["/faults", "/clock", "/health", "/settings"].map((path) => call("GET", path)),
  );
  const webhooks = await newestWebhooks();
  const state = byId("webhook-state");
  const last = webhooks[0];
  const refused = last && last.duration_ms !== null && !isSuccess(last);
  state.className = `pill${!settings.webhook.url || refused ? " bad" : health.webhooks.pending ? " waits" : ""}`;
  state.textContent = stateText(settings.webhook.url, health.webhooks.pending, last, refused);
  byId("clock").textContent = time.shift_ms === 0 ? "" : `${new Date(time.now_ms).toLocaleString()} here`;
  const drawn = JSON.stringify([faults, webhooks.map((record) => [record.seq, record.http_status, record.error])]);
  if (drawn === lastDrawn) return;
  lastDrawn = drawn;
  drawRules(faults);
  byId("webhooks").replaceChildren(...webhooks.map(webhook));
}

function stateText(url, pending, last, refused) {
  if (!url) return "No callback URL: nobody hears the customers";
  if (refused) return `Last webhook: ${last.http_status ?? "no answer"}${last.will_retry ? ", trying again" : ""}`;
  if (pending > 0) return `${pending} under way`;
  return last ? `Last webhook: ${last.http_status}` : "Webhooks are ready";
}

let webhookSeq = 0;
let kept = [];

/** The newest twenty; asks only for what came since, and again for those without an answer yet. */
async function newestWebhooks() {
  const waiting = kept.filter((record) => record.duration_ms === null).map((record) => record.seq);
  const after = waiting.length ? Math.min(...waiting) - 1 : webhookSeq;
  const { data, last_seq } = await call("GET", `/webhooks?after=${after}&limit=10000`);
  webhookSeq = Math.max(webhookSeq, last_seq);
  const fresh = new Set(data.map((record) => record.seq));
  kept = [...kept.filter((record) => !fresh.has(record.seq)), ...data].slice(-20);
  return kept.toReversed();
}

/** After a reset the records are gone. */
export function forget() {
  kept = [];
  lastDrawn = "";
}

const isSuccess = ({ http_status: status }) => status >= 200 && status < 300;

function drawRules(faults) {
  const items = Object.entries(faults).flatMap(([channel, rules]) =>
    rules.map((rule, index) => {
      const often = rule.next > 0 ? `next ${rule.next}` : rule.rate > 0 ? `${Math.round(rule.rate * 100)} %` : "used up";
      const label = `${CHANNELS[channel]}: ${FAULTS[rule.fault]?.label ?? rule.fault}`;
      const others = rules.filter((_, other) => other !== index);
      const remove = () => call("PUT", `/faults/${channel}`, others);
      return h(
        "li",
        {},
        h("span", {}, label, h("br"), h("small", {}, `${often} · struck ${rule.hits}×`)),
        h("button", { type: "button", "aria-label": `Remove ${label}`, onclick: remove }, "×"),
      );
    }),
  );
  byId("rules").replaceChildren(...items);
  byId("clear-faults").hidden = items.length === 0;
}

function webhook(record) {
  const status = record.http_status ?? (record.duration_ms === null ? "…" : "✕");
  const good = record.duration_ms === null || isSuccess(record);
  const body = record.body ? JSON.stringify(JSON.parse(record.body), null, 1) : "(not kept)";
  return h(
    "li",
    {},
    h(
      "details",
      {},
      h(
        "summary",
        {},
        h("span", { class: `status${good ? "" : " bad"}` }, String(status)),
        h("span", {}, CHANNELS[record.channel] ?? record.channel, record.attempt > 1 ? ` · try ${record.attempt}` : ""),
        h("span", {}, record.duration_ms === null ? "" : `${record.duration_ms} ms · `, clock(record.at_ms)),
      ),
      record.error ? h("p", {}, record.error) : null,
      h("pre", {}, body),
    ),
  );
}
