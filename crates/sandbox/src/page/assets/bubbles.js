// One message on the customer's phone.
import { clock, h } from "./dom.js";

const TICKS = { sent: "✓", delivered: "✓✓", read: "✓✓" };

/** Draws an entry. `does` holds what the customer can do with it. */
export function bubble(entry, entries, does) {
  const failed = entry.progress === "failed";
  const element = h("li", { class: `entry ${entry.author}${failed ? " failed" : ""}${entry.deleted ? " deleted" : ""}` });
  element.append(
    h("div", { class: "bubble", dir: "auto" }, quote(entry, entries), ...content(entry), choices(entry, does), footer(entry)),
  );
  if (!entry.deleted) element.append(tools(entry, does));
  return element;
}

function quote(entry, entries) {
  if (!entry.reply_to) return null;
  const original = entries.find((other) => other.id === entry.reply_to);
  return h("div", { class: "quote" }, original?.text ?? original?.kind ?? "an earlier message");
}

function content(entry) {
  if (entry.deleted) return [h("p", {}, "This message was unsent")];
  const parts = [media(entry)];
  if (entry.kind === "location") parts.push(place(entry));
  if (entry.kind === "contacts") parts.push(h("p", {}, `Contact: ${entry.text ?? "no name"}`));
  else if (entry.text) parts.push(h("p", {}, entry.text));
  if (entry.kind === "interactive" && entry.content?.footer) parts.push(h("p", { class: "kind" }, entry.content.footer.text));
  if (parts.every((part) => part === null)) parts.push(h("p", { class: "kind" }, entry.kind.replaceAll("_", " ")));
  return parts;
}

function media(entry) {
  if (!entry.media?.url) return null;
  const { url, mime_type: mime = "", file_name: name } = entry.media;
  const kind = entry.kind;
  if (kind === "sticker") return h("img", { src: url, alt: "Sticker", class: "sticker" });
  if (kind === "image" || mime?.startsWith("image/")) return h("img", { src: url, alt: entry.text ?? "Picture" });
  if (kind === "video") return h("video", { src: url, controls: true, preload: "metadata" });
  if (kind === "audio" || kind === "voice") return h("audio", { src: url, controls: true, preload: "metadata" });
  return h("p", {}, h("a", { href: url, target: "_blank", rel: "noreferrer" }, name ?? "file"));
}

function place(entry) {
  const point = entry.content?.latitude !== undefined ? entry.content : entry.content?.attachments?.[0]?.payload?.coordinates;
  if (!point) return null;
  return h("p", { class: "kind" }, `Location: ${point.latitude ?? point.lat}, ${point.longitude ?? point.long}`);
}

/** What can be pressed in a message of the business. */
function choices(entry, does) {
  if (entry.author !== "business" || entry.deleted) return null;
  const all = [...interactive(entry), ...messenger(entry)];
  if (all.length === 0) return null;
  const button = ({ label, action }) => h("button", { type: "button", onclick: () => does.act(action) }, label);
  return h("div", { class: "choices" }, ...all.map(button));
}

function interactive(entry) {
  const action = entry.content?.action;
  if (entry.kind !== "interactive" || !action) return [];
  const message_id = entry.id;
  const buttons = (action.buttons ?? []).map(({ reply }) => ({
    label: reply.title,
    action: { kind: "button_reply", message_id, id: reply.id, title: reply.title },
  }));
  const rows = (action.sections ?? []).flatMap((section) => section.rows ?? []).map((row) => ({
    label: row.title,
    action: { kind: "list_reply", message_id, id: row.id, title: row.title, description: row.description },
  }));
  return [...buttons, ...rows];
}

function messenger(entry) {
  const quick = (entry.content?.quick_replies ?? []).filter((reply) => reply.title).map(({ title, payload }) => ({
    label: title,
    action: { kind: "quick_reply", title, payload },
  }));
  const payload = entry.content?.attachment?.payload;
  const buttons = [...(payload?.buttons ?? []), ...(payload?.elements ?? []).flatMap((element) => element.buttons ?? [])];
  const postbacks = buttons.filter((button) => button.type === "postback").map(({ title, payload }) => ({
    label: title,
    action: { kind: "postback", title, payload },
  }));
  return [...quick, ...postbacks];
}

function footer(entry) {
  const own = entry.author === "customer";
  const reactions = entry.reactions.map((reaction) => reaction.emoji).join(" ");
  const ticks = TICKS[entry.progress] ?? "";
  const word = entry.progress === "failed" ? `failed (${entry.error_code})` : entry.progress;
  return h(
    "footer",
    {},
    reactions ? h("span", { class: "reactions" }, reactions) : null,
    entry.edits > 0 && !entry.deleted ? h("span", {}, "edited") : null,
    h("time", { datetime: new Date(entry.at_ms).toISOString() }, clock(entry.at_ms)),
    h("span", { class: entry.progress, title: word }, own ? ticks : word, own ? h("span", { class: "sr" }, word) : null),
  );
}

function tools(entry, does) {
  const own = entry.author === "customer";
  const tool = (label, sign, onclick) => h("button", { type: "button", "aria-label": label, title: label, onclick }, sign);
  const reacted = entry.reactions.some((reaction) => reaction.author === "customer");
  const message_id = entry.id;
  return h(
    "div",
    { class: "tools" },
    tool("Reply", "↩", () => does.reply(entry)),
    reacted
      ? tool("Take reaction back", "♡", () => does.act({ kind: "unreact", message_id }))
      : tool("React with a heart", "❤", () => does.act({ kind: "reaction", message_id, emoji: "❤️" })),
    tool("React with a thumb", "👍", () => does.act({ kind: "reaction", message_id, emoji: "👍" })),
    own && entry.text ? tool("Edit", "✎", () => does.edit(entry)) : null,
    own ? tool("Unsend", "🗑", () => does.act({ kind: "unsend", message_id })) : null,
  );
}
