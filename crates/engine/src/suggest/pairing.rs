//! What is learned from a conversation: a customer's turn, and the turn of one of ours that came next.

use frontdesk_model::Timestamp;
use frontdesk_model::message::{Direction, MessageKind, MessageStatus, SenderType};
use frontdesk_store::suggest_pairs::{Learned, Line};

/// What follows sooner belongs to the same turn, in milliseconds.
pub(super) const SAME_TURN_MS: i64 = 5 * 60_000;
/// What comes later is no answer, in milliseconds.
pub(super) const ANSWER_MS: i64 = 24 * 60 * 60_000;
/// An answer has so many characters.
const SHORTEST: usize = 15;
const LONGEST: usize = 600;
/// As much of a question is kept, in characters: more of it is not compared.
const QUESTION: usize = 2_000;

/// What one side wrote without the other in between.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub ours: bool,
    pub text: String,
    first: i64,
    began_at: Timestamp,
    last_at: Timestamp,
    /// Something of it is no text, or too long: it is not to be suggested.
    is_answer: bool,
}

/// The pairs of a conversation, whose lines come in order.
pub(super) fn pairs(lines: &[Line]) -> Vec<Learned> {
    let turns = turns(lines);
    let mut found = Vec::new();
    let mut before: Option<&Turn> = None;
    for two in turns.windows(2) {
        let [asked, answered] = two else { continue };
        if asked.ours {
            before = Some(asked);
            continue;
        }
        let is_in_time = answered.began_at.millis_since(asked.last_at) <= ANSWER_MS;
        let length = answered.text.chars().count();
        if answered.ours && answered.is_answer && is_in_time && (SHORTEST..=LONGEST).contains(&length) {
            found.push(Learned {
                id: answered.first,
                question: asked.text.chars().take(QUESTION).collect(),
                before: before.filter(|turn| !turn.text.is_empty()).map(|turn| turn.text.clone()),
                reply: answered.text.clone(),
                said_at: answered.began_at,
            });
        }
    }
    found.retain(|pair| !pair.question.is_empty());
    found
}

/// The turns of a conversation. What the network or Frontdesk itself said, and what will not arrive, was never said.
pub(super) fn turns(lines: &[Line]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for line in lines.iter().filter(|line| is_said(line)) {
        let ours = line.direction == Direction::Outbound;
        let text = line.content.as_deref().unwrap_or_default().trim();
        let is_text = matches!(line.kind, MessageKind::Text | MessageKind::Template) && !text.is_empty();
        match turns
            .last_mut()
            .filter(|turn| turn.ours == ours && line.sent_at.millis_since(turn.last_at) < SAME_TURN_MS)
        {
            Some(turn) => {
                turn.last_at = line.sent_at;
                let grown = turn.text.chars().count() + 1 + text.chars().count();
                // A long answer is learned as far as it is not too long.
                if !text.is_empty() && !(ours && (grown > LONGEST || !is_text)) {
                    if !turn.text.is_empty() {
                        turn.text.push('\n');
                    }
                    turn.text.push_str(text);
                }
            }
            None => turns.push(Turn {
                ours,
                text: text.to_owned(),
                first: line.id.0,
                began_at: line.sent_at,
                last_at: line.sent_at,
                is_answer: is_text,
            }),
        }
    }
    turns
}

fn is_said(line: &Line) -> bool {
    match line.direction {
        Direction::Inbound => line.sender_type == SenderType::Customer,
        Direction::Outbound => line.sender_type == SenderType::Admin && line.status != MessageStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use frontdesk_model::MessageId;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn line(id: i64, ours: bool, minute: i64, text: &str) -> Line {
        Line {
            id: MessageId(id),
            direction: if ours { Direction::Outbound } else { Direction::Inbound },
            sender_type: if ours { SenderType::Admin } else { SenderType::Customer },
            kind: MessageKind::Text,
            content: Some(text.to_owned()),
            status: if ours { MessageStatus::Sent } else { MessageStatus::Received },
            sent_at: Timestamp::from_millis(minute * MINUTE),
        }
    }

    fn told(lines: &[Line]) -> Vec<(i64, String, String)> {
        pairs(lines).into_iter().map(|pair| (pair.id, pair.question, pair.reply)).collect()
    }

    #[test]
    fn what_is_written_within_five_minutes_is_one_turn() {
        let lines = [
            line(1, false, 0, "Hello"),
            line(2, false, 4, "where is my parcel?"),
            line(3, true, 10, "It is on its way."),
            line(4, true, 14, "Please wait a little."),
        ];
        let expected = (
            3,
            "Hello\nwhere is my parcel?".to_owned(),
            "It is on its way.\nPlease wait a little.".to_owned(),
        );
        assert_eq!(told(&lines), [expected]);
        let apart =
            [line(1, false, 0, "Hello"), line(2, false, 5, "where?"), line(3, true, 10, "It is on its way.")];
        assert_eq!(told(&apart), [(3, "where?".to_owned(), "It is on its way.".to_owned())]);
    }

    #[test]
    fn an_answer_comes_within_a_day_and_is_neither_short_nor_long() {
        let day = 24 * 60;
        let of = |minute, text: &str| told(&[line(1, false, 0, "where?"), line(2, true, minute, text)]).len();
        assert_eq!((of(day, "It is on its way."), of(day + 1, "It is on its way.")), (1, 0));
        assert_eq!((of(1, &"x".repeat(14)), of(1, &"x".repeat(15))), (0, 1));
        assert_eq!((of(1, &"é".repeat(600)), of(1, &"é".repeat(601))), (1, 0));
    }

    #[test]
    fn machines_failures_and_files_teach_nothing() {
        let asked = line(1, false, 0, "where?");
        let answer = line(2, true, 1, "It is on its way.");
        let by_itself = Line { sender_type: SenderType::System, ..answer.clone() };
        let failed = Line { status: MessageStatus::Failed, ..answer.clone() };
        let file = Line { kind: MessageKind::Document, ..answer.clone() };
        for other in [by_itself, failed, file] {
            assert_eq!(told(&[asked.clone(), other]), []);
        }
        // What a machine said in between does not part question and answer.
        let welcome = Line { sender_type: SenderType::System, ..line(3, true, 0, "Welcome to our house!") };
        assert_eq!(told(&[asked, welcome, answer]).len(), 1);
    }

    #[test]
    fn what_was_said_before_the_question_is_kept_with_it() {
        let lines = [
            line(1, true, 0, "Which room do you have?"),
            line(2, false, 10, "The one with a view"),
            line(3, true, 12, "Then breakfast is included."),
        ];
        assert_eq!(pairs(&lines)[0].before.as_deref(), Some("Which room do you have?"));
    }
}
