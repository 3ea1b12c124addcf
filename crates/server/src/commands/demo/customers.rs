//! The customers who have written when the demo begins: every channel, a few kinds of message.

use frontdesk_sandbox::Sandbox;
use frontdesk_sandbox::customer::NewCustomer;
use frontdesk_sandbox::phone::act;
use frontdesk_sandbox::phone::action::{CustomerAction, CustomerMessage, FileSource};

/// Lets them write; the webhooks follow by themselves.
pub fn write(sandbox: &Sandbox) -> anyhow::Result<()> {
    let text = |text: &str| CustomerAction::Text { text: text.to_owned(), forwarded: false };
    let stories: [(&str, &str, Vec<CustomerAction>); 6] = [
        (
            "Dewi Lestari",
            "whatsapp",
            vec![
                text("Good morning! Do you have a table for six tonight at half past seven?"),
                text("One of us needs a wheelchair-friendly seat."),
            ],
        ),
        (
            "João Ferreira",
            "whatsapp",
            vec![
                text("Hi, my order 2041 arrived with a broken cup. Here is a photo."),
                CustomerAction::Image { file: FileSource::default(), caption: Some("The cup".to_owned()) },
            ],
        ),
        (
            "Amina Yusuf",
            "whatsapp",
            vec![
                CustomerAction::Voice { file: FileSource::default() },
                CustomerAction::Location {
                    latitude: -8.65,
                    longitude: 115.2167,
                    name: Some("Denpasar".to_owned()),
                    address: Some("Jalan Gajah Mada, Denpasar".to_owned()),
                },
            ],
        ),
        ("Lucas Meyer", "messenger", vec![text("Are you open on Sunday? I would like to bring my parents.")]),
        (
            "Ada Guest",
            "hotel",
            vec![
                text("Good evening, we arrive tonight after eleven. Is somebody at the reception?"),
                CustomerAction::Voice { file: FileSource::default() },
            ],
        ),
        ("Ines Duarte", "instagram", vec![text("Love the new blend 😍 Do you ship to Lisbon?")]),
    ];
    for (name, inbox_id, actions) in stories {
        let new = NewCustomer { name: name.to_owned(), ..NewCustomer::default() };
        let customer = sandbox.world().add_customer(new)?;
        for action in actions {
            let action = action.with_usual_sample();
            let message = CustomerMessage { inbox_id: inbox_id.to_owned(), reply_to: None, action };
            act(sandbox, &customer.id, &message)?;
        }
    }
    Ok(())
}
