"""Beliefs behind broken requirements that several labs share; each belief has one name."""

SHARED = {
    "not-done": "none: this is not done yet",
    "ack-before-work": "acknowledging a message before the work is done is just as safe",
    "auto-ack": "with auto_ack the broker waits until the work is done",
    "check-then-insert": "what was looked up a moment ago is still true",
    "dedup-apart": "remembering a message and doing its work may be two transactions",
    "memory-set": "what a process remembers survives the process",
    "exactly-once-delivery": "a message is delivered exactly once, so once is enough care",
    "ack-elsewhere": "any channel may acknowledge a delivery",
    "message-is-payment": "a new message id means a new payment",
    "same-content-same-message": "two messages that say the same are one and the same",
    "set-is-safe": "setting a value is idempotent, so the order does not matter",
    "redelivered-means-done": "the flag `redelivered` says that a message was worked on",
    "never-acked": "a message that was worked on is gone without an ack",
}
