//! The one outgoing HTTP stack of the provider clients: time-outs, retry, breaker, limits, redaction.
