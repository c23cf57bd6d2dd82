/**
 * The line every call goes through, in this order, with the reason for each place. The first four steps
 * see a transport message and belong to the front; the others see one call and are stages.
 */
export const ORDER = [
  { step: "admit", why: "Host, Origin, method and size are judged before a byte is parsed" },
  {
    step: "authenticate",
    why:
      "401 and its metadata come on every path, whatever the body is; a stranger costs no parsing",
  },
  {
    step: "parse",
    why: "the scan refuses what would hurt a parser; everything later sees one inspected form",
  },
  { step: "session", why: "revision, capabilities and toolset decide what the message means" },
  {
    step: "resolve",
    why: "a target the caller's view does not have ends here, hidden and unknown alike",
  },
  {
    step: "limit",
    why: "what is switched off or too much ends here, before anything is done for it",
  },
  {
    step: "intercept",
    why:
      "rules see who wants what, and only of those within limits; what they change is validated too",
  },
  {
    step: "validate",
    why:
      "a mistake the schema shows is answered without the backend, and only to those within limits",
  },
  { step: "answer", why: "what the gateway knows itself costs no backend" },
  { step: "route", why: "a backend that is down refuses before anything is sent" },
  {
    step: "intent",
    why: "last before anything is sent: what the journal does not have, no backend ever sees",
  },
  { step: "forward", why: "from here on the call may have been executed" },
  {
    step: "result",
    why: "the answer is put into the caller's revision last, whatever produced it",
  },
  { step: "settle", why: "runs once on every outcome, before the answer leaves" },
] as const;

export type Step = (typeof ORDER)[number]["step"];
