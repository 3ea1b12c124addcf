// The sandbox as the checks steer it, and a business beside it that records webhooks.
import { createServer } from "node:http";

export const SANDBOX_URL = process.env.SANDBOX_URL ?? "http://127.0.0.1:9090";
export const APP_SECRET = "sdk-app-secret";
export const NUMBER = "108144372211905";
export const WABA = "215589313241560883";

/** One call of the control API; throws when it is refused. */
export async function control(method, path, body) {
  const response = await fetch(`${SANDBOX_URL}/control${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** Something a customer does; returns the message id. */
export async function act(customer, action) {
  return (await control("POST", `/customers/${customer}/messages`, action)).message_id;
}

/** A business that records raw bodies and signatures. `take()` waits until the sandbox has told everything. */
export async function startBusiness() {
  const received = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ body: Buffer.concat(chunks), signature: request.headers["x-hub-signature-256"] });
      response.end();
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `http://127.0.0.1:${server.address().port}/webhook`;
  await control("POST", "/reset");
  await control("PATCH", "/settings", { webhook: { url, app_secret: APP_SECRET } });
  return {
    async take() {
      const { idle } = await control("GET", "/idle?timeout_ms=10000");
      if (!idle) throw new Error("the sandbox is still telling");
      return received.splice(0);
    },
    async close() {
      await control("PATCH", "/settings", { webhook: { url: null, app_secret: null } });
      server.close();
      server.closeAllConnections();
    },
  };
}
