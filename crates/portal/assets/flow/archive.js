// The calls of a run as an HTTP archive (HAR 1.2). The bank makes it of what the page tells, because it knows what is secret.

/** What a result says of its call; nothing of what the customer did, and of what had no answer. */
const told = ({ at, request, answer }) => ({
  at,
  milliseconds: answer.milliseconds,
  method: request.method,
  target: request.target,
  request: { headers: request.headers, body: request.body },
  status: answer.status,
  answer: { headers: answer.headers, body: answer.body },
});

/** The calls of a run that had an answer, in the order of its steps. */
export function callsOf({ flow, run }) {
  const results = flow.steps.map((step) => run.results[step.name]);
  return results.filter((result) => result?.answer?.status).map(told);
}

/** The archive, as the text of its file. @throws {Error} if the bank does not make it */
export async function archiveOf(calls) {
  const answer = await fetch("/portal/flow.har", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ calls }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(text);
  return text;
}
