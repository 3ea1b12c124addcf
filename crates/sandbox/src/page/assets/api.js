// The control API.

/** One call; throws an Error with the API's own sentence when it is refused. */
export async function call(method, path, body) {
  const response = await fetch(`/control${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text === "" ? null : JSON.parse(text);
  if (!response.ok) throw new Error(answer?.error ?? `${response.status} ${response.statusText}`);
  return answer;
}

/** Calls `changed` soon after something changed, at most every 150 ms; and each 5 s, for what has no event. */
export function watch(changed) {
  let timer = null;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = null;
      changed();
    }, 150);
  };
  const stream = new EventSource("/control/stream");
  stream.addEventListener("change", soon);
  stream.addEventListener("resync", soon);
  setInterval(soon, 5000);
}
