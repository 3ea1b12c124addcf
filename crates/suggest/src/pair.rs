//! What the index learns from: a customer's turn and what was answered.

/// Something a customer wrote and what an agent replied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// Whose id it is the caller decides: that of the agent's message, say. Learning an id again replaces the pair.
    pub id: i64,
    /// Who the customer is. What was said to one customer alone is shown to no other.
    pub contact: i64,
    /// Names of that customer, as they may stand in the reply.
    pub contact_names: Vec<String>,
    /// The customer's turn: what was written without an answer in between.
    pub question: String,
    /// What the agent had written before that, if anything.
    pub before: Option<String>,
    /// The agent's reply.
    pub reply: String,
    /// When it was said, in milliseconds since 1970.
    pub said_at: i64,
    /// It was written for everybody, as a quick reply is: nothing in it is one customer's.
    pub for_everybody: bool,
    /// How often it was taken when it was suggested.
    pub accepted: u32,
    /// How often it was waved away.
    pub dismissed: u32,
}

/// What a suggestion is wanted for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The customer's last turn.
    pub question: &'a str,
    /// What the agent had written before that, if anything.
    pub before: Option<&'a str>,
    /// What the customer is called; goes where a reply has another's name.
    pub first_name: Option<&'a str>,
    /// Suggestions wanted at most.
    pub count: usize,
}

/// A reply of the team's own that may fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The reply, with `{{…}}` where it had what belongs to one customer.
    pub text: String,
    /// How sure it is, 0 to 1.
    pub score: f32,
    /// The pair whose wording it is: the newest of those that are alike.
    pub source: i64,
    /// When that was said, in milliseconds since 1970.
    pub said_at: i64,
    /// How many replies much like it were given to questions like this one.
    pub alike: usize,
}
