// What the flow page says, in one place.

export const texts = {
  sent: (step, status, milliseconds) => `${step}: ${status ?? "no answer"} in ${milliseconds} ms`,
  edited: "changed",
  putBack: "Put back",
  leaveOut: "A field that is emptied is left out. {{name}} stands for a value that flows.",
  addedBySigning: "made when it is signed",
  notSent: "Not sent yet.",
  stale: "Changed since it was sent: what came of it, and a saved test, are about the call as it was sent.",
  savedAsSent: (names) => `Saved as it was sent: what you changed after that in ${names} is not in the test.`,
  nothingSent: "Send something first: a test or an archive is what was called and what came of it.",
  notSigned: "This call is not signed: client id, secret and verifier say who asks.",
  bunqSigned: "The exact octets of the body are signed, nothing else.",
  berlinGroupSigned: "One line for each header that is signed, joined by line feeds, with none at the end.",
  noCommand: "No command makes this call alone. The whole flow:",
  ownFiles: "Beside it, it needs the files of this third party: ",
  run: "Run it by ",
  missing: (name, step) =>
    step
      ? `This call needs {{${name}}}, which “${step}” gives: run that first.`
      : `This call needs {{${name}}}, which nothing gives.`,
  absent: (path) => `The answer has no ${path}, which later steps need.`,
  already: "The bank has this already, from a run before: that is as good.",
  waiting: "Nothing waits for this customer. When a step asks them, it comes here.",
  asksConsent: (party) => `${party} asks to read your accounts`,
  asksFunds: (party) => `${party} asks whether your account holds an amount, whenever a card needs it`,
  asksPayment: (party, amount, to) => `${party} asks you to pay ${amount} to ${to}`,
  decided: {
    approve: "Approved. The browser went back with a code.",
    reject: "Rejected.",
    "wrong-answer": "Wrong answers, until the bank had enough.",
    expire: "Nothing happened for five minutes.",
  },
  notDecided: "The bank took no decision.",
  said: (error, text) => `It said ${[error, text].filter(Boolean).join(": ")}`,
  unreachable: "The bank was not reached: is it still running, and is this page at its address?",
  noSlash: (target) => `A path begins with one “/”, and “${target}” does not: nothing was sent.`,
  elsewhere: (tenant) => `This flow cannot be gone through with customers of ${tenant}, so nothing was sent.`,
  noCertificate: "This bank wants a QWAC with each call, which a page cannot show, so nothing was sent: take the command at the top of this page.",
  lostCustomer: (name) => `The bank went back to what it was before ${name} came: choose or get another customer.`,
  lostRegistration: "The bank went back to what it was before this third party registered: start over.",
  firstPage: "To the first page",
  choose: (tenant) => `Choose ${tenant}`,
  more: (number) => `${number} more members, those without a value among them: see Raw.`,
  cut: "The answer was too long to keep over a reload: send the call again to see it whole.",
  noDay: "Choose a day first.",
  moved: (clock) => `It is now ${clock}`,
};

/** Whether the bank took the customer's decision: only then did the browser go back. */
export const isTaken = ({ isDone, decision, back }) => isDone || (decision !== "approve" && Boolean(back.state));

/** What came of the customer's decision. */
export const outcome = (result) => (isTaken(result) ? texts.decided[result.decision] : texts.notDecided);
