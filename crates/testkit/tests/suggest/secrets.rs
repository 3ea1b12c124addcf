use crate::{Desk, desks};

/// What other customers were told: with a value of theirs that must not be seen by anybody else.
const PLANTED: &[(&str, &str, &[&str])] = &[
    (
        "where is my order",
        "Hi Gwendolyn, your order BR-5521X is at the post office.",
        &["Gwendolyn", "BR-5521X"],
    ),
    ("how much do I owe", "You still owe us $ 1,234.50, Marmaduke.", &["1,234.50", "Marmaduke"]),
    (
        "which number can I call",
        "Please call your driver at +55 11 98765-4321 before noon.",
        &["98765", "4321"],
    ),
    ("to which address do you deliver", "We deliver to 42 Elm Street, as you wrote.", &["42", "Elm"]),
    (
        "what is my mail address with you",
        "We have gwen.marsh@example.org as your address.",
        &["gwen", "marsh"],
    ),
    ("which room is mine", "Your room is 4711, on the second floor.", &["4711"]),
    ("onde está meu pedido", "Oi Florisbela, seu pedido #88412 saiu hoje cedo.", &["Florisbela", "88412"]),
    ("quanto eu devo", "O valor é R$ 987,65, senhora Gumercinda.", &["987,65", "Gumercinda"]),
    ("qual o telefone do entregador", "O telefone dele é (21) 99876-5544, pode ligar.", &["99876", "5544"]),
    (
        "qual o endereço da entrega",
        "A entrega vai para a Rua das Acácias, 123, como combinado.",
        &["Acácias", "123"],
    ),
    ("qual cpf vocês têm", "Temos o CPF 529.982.247-25 no seu cadastro.", &["529", "982", "247-25"]),
    ("qual a senha do meu portão", "A senha do seu portão é zx81-kk, dona Eufrásia.", &["zx81", "Eufrásia"]),
    ("di mana pesanan saya", "Halo kak Ngatinah, pesanan JKT-9917 sudah dikirim.", &["Ngatinah", "9917"]),
    ("berapa yang harus saya bayar", "Totalnya Rp 4.321.000 ya pak Wagiman.", &["4.321", "Wagiman"]),
    ("nomor kurirnya berapa", "Nomor kurirnya 0813-5566-7788, silakan dihubungi.", &["5566", "7788"]),
    (
        "alamat kirimnya ke mana",
        "Kami kirim ke jl. kenangan indah no. 57 sesuai pesanan.",
        &["kenangan", "57"],
    ),
    ("email saya yang mana", "Email yang terdaftar ngatinah88@contoh.co.id ya kak.", &["ngatinah", "88"]),
    // Small letters, written out, without a sign: what gives a name or number away elsewhere is missing.
    (
        "is the room ready",
        "dear anna, your room is in the name of grace, ask for zulmirha.",
        &["anna", "grace", "zulmirha"],
    ),
    (
        "hi, my name is hope brightwell, is it paid",
        "yes hope, brightwell is on our list now.",
        &["hope", "brightwell"],
    ),
    ("chegou o meu pacote", "obrigado joão, o pacote em nome de rosa chegou hoje.", &["joão", "rosa"]),
    ("qual a senha do wifi do chalé", "a senha do chalé é girassol, anote por favor.", &["girassol"]),
    ("para onde mandaram", "mandamos para a rua das hortênsias, perto da praça.", &["hortênsias"]),
    ("quanto falta eu pagar ainda", "faltam mil e duzentos reais para quitar tudo.", &["mil", "duzentos"]),
    (
        "which account do you pay to",
        "We pay to DE89 3704 0044 0532 0130 00 as before.",
        &["DE89", "3704", "0532", "0130"],
    ),
    ("when was I born in your file", "Your file says 12 May 1987, is that right?", &["12", "1987"]),
    ("which car is mine", "Your car is the one with B 1234 XYZ on its plate.", &["1234", "XYZ"]),
    ("siapa nama di pesanan itu", "pesanan itu atas nama melati, sudah kami kemas.", &["melati"]),
    ("akun instagram saya apa", "akunnya @melati.kusuma, benar ya kak.", &["melati", "kusuma"]),
    ("kode reservasi saya apa", "Kode reservasinya QWE778, jangan lupa dibawa.", &["QWE778"]),
];

async fn tell(desk: &Desk) {
    for (n, (asked, answered, _)) in PLANTED.iter().enumerate() {
        let phone = format!("628139000{n:04}");
        desk.exchange(&phone, &format!("Planted {n}"), 0, asked, answered).await;
    }
    desk.learn().await;
}

#[tokio::test]
async fn nothing_that_belongs_to_another_customer_is_shown() {
    for desk in desks().await {
        tell(&desk).await;
        let mut spoken = 0;
        for (n, (asked, ..)) in PLANTED.iter().enumerate() {
            let phone = format!("628139100{n:04}");
            for text in desk.suggested(&phone, "Beatriz Lima", 600, asked).await {
                spoken += 1;
                for (_, _, secrets) in PLANTED {
                    for secret in *secrets {
                        assert!(!text.contains(secret), "{secret:?} of somebody else in {text:?}");
                    }
                }
            }
        }
        assert!(spoken >= PLANTED.len(), "{spoken} suggestions only: nothing was tried");
    }
}

#[tokio::test]
async fn the_name_of_who_is_there_takes_the_place_of_anothers() {
    for desk in desks().await {
        tell(&desk).await;
        let said = desk.suggested("6281390045512", "Beatriz Lima", 600, "onde está meu pedido").await;
        assert_eq!(said[0], "Oi Beatriz, seu pedido {{code}} saiu hoje cedo.");
        // Nobody's name is taken from what somebody calls themselves: it is a text like any other.
        let said = desk.suggested("6281390045513", "{{code}} <b>", 600, "onde está meu pedido").await;
        assert_eq!(said[0], "Oi {{code}}, seu pedido {{code}} saiu hoje cedo.");
    }
}

#[tokio::test]
async fn two_people_who_were_found_to_be_one_do_not_make_a_secret_public() {
    for desk in desks().await {
        let answer = "Your locker is number 7788, on the left.";
        for n in 0..3 {
            let phone = format!("628139000000{n}");
            desk.exchange(&phone, "Ana", 0, "which locker is mine", answer).await;
        }
        desk.learn().await;
        let asking = "6281390045512";
        assert_eq!(
            desk.suggested(asking, "Eve", 600, "which locker is mine?").await,
            [answer],
            "three were told"
        );
        let two = serde_json::json!({ "keep": "6281390000000", "merge": "6281390000001" });
        desk.server.post("/api/crm/contacts/merge").bearer(&desk.admin).json(&two).send().await.ok(201);
        desk.learn().await;
        let said = crate::texts(&desk.suggest(desk.conversation(asking).await).await);
        assert_eq!(said, ["Your locker is number {{number}}, on the left."]);
    }
}
