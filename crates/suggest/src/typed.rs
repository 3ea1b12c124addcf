//! What is no word in a text: addresses, numbers, amounts, dates, codes.
//!
//! Two uses: for matching, every amount is alike; for showing, an amount said to one customer is nobody else's business.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What a stretch of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An e-mail address.
    Mail,
    /// An address of the web.
    Link,
    /// Where somebody lives: a street and what follows it up to a number.
    Address,
    /// An amount of money.
    Money,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A number of eight digits or more: a phone, a card, an account.
    Phone,
    /// Letters and digits together.
    Code,
    /// Any other number.
    Number,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 9] = [
        Self::Mail,
        Self::Link,
        Self::Address,
        Self::Money,
        Self::Date,
        Self::Time,
        Self::Phone,
        Self::Code,
        Self::Number,
    ];

    /// The word that stands for all of its kind when texts are compared. No customer can write it.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Mail => "<mail>",
            Self::Link => "<link>",
            Self::Address => "<address>",
            Self::Money => "<money>",
            Self::Date => "<date>",
            Self::Time => "<time>",
            Self::Phone => "<phone>",
            Self::Code => "<code>",
            Self::Number => "<num>",
        }
    }

    /// What an agent sees in its place, and fills in.
    pub(crate) fn slot(self) -> &'static str {
        match self {
            Self::Mail => "{{email}}",
            Self::Link => "{{link}}",
            Self::Address => "{{address}}",
            Self::Money => "{{amount}}",
            Self::Date => "{{date}}",
            Self::Time => "{{time}}",
            Self::Phone => "{{phone}}",
            Self::Code => "{{code}}",
            Self::Number => "{{number}}",
        }
    }
}

/// In the order in which they are tried at one place; the names are those of [`KINDS`].
const PATTERN: &str = r"(?ix)
    (?<mail>  [\p{L}\p{N}._%+\-]+ @ [\p{L}\p{N}\-]+ (?:\.[\p{L}\p{N}\-]+)*
            | [\p{L}\p{N}._%+\-]+ \s?(?:\(at\)|\[at\]|\(arroba\)|\sarroba\s)\s? [\p{L}\p{N}.\-]+ )
  | (?<link>  (?:https?://|www\.)\S+
            | \b[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.(?:com|net|org|io|co|id|br|es|pt|me|app|dev|info|shop|store|link|page)\b
              (?:\.[a-z]{2}\b)?(?:/\S*)?
            | @[\p{L}\p{N}_][\p{L}\p{N}_.]+ )
  | (?<address> \b(?:rua|r\.|avenida|av\.|travessa|alameda|praça|praca|rodovia|estrada|calle|jalan|jln\.?|jl\.?|gang|gg\.)
              \s+(?:\p{L}[\p{L}'.\-]*,?\s+){1,6}?(?:n[ºo°]?\.?\s*|no\.?\s*|nomor\s+|número\s+|numero\s+|\#\s*)?\d+[a-z]?\b
            | \b(?:rua|avenida|travessa|alameda|calle|jln\.?|jl\.?)\s+(?:(?:de\s+la|del|d[aeo]s?)\s+)?\p{L}[\p{L}'\-]+
            | \b\d+[a-z]?\s+(?:\p{L}[\p{L}'.\-]*\s+){1,4}?(?:street|st\.?|road|rd\.?|avenue|ave\.?|lane|drive|boulevard|blvd\.?)(?:\s|,|$) )
  | (?<money> (?:\bR\$|\bUS\$|\bRp\.?|[$€£¥]|\b(?:USD|BRL|IDR|EUR|GBP|MXN|ARS))\s*\d[\d.,]*(?:\s*(?:k|mil|rb|ribu|jt|juta)\b)?
            | \b\d[\d.,]*\s*(?:[€£]|R\$|(?:reais|rupiah|ribu|rb|juta|jt|dollars?|dolares|dólares|euros?|pesos|usd|brl|idr|eur)\b)
            | \b(?:NUMERAL\s+(?:(?:e|y|and)\s+)?)+(?:de\s+)?(?:reais|rupiah|dollars?|dolares|dólares|euros?|pesos)\b )
  | (?<date>  \b\d{1,4}[/.\-]\d{1,2}[/.\-]\d{2,4}\b | \b\d{1,2}/\d{1,2}\b )
  | (?<time>  \b\d{1,2}[:h]\d{2}(?:\s*[ap]\.?m\b\.?)?\b | \b\d{1,2}\s*[ap]m\b | \b\d{1,2}\s?h(?:s|rs)?\b )
  | (?<phone> \+?\(?\d(?:[\s().\-]{0,2}\d){7,} )
  | (?<code>  \#\s?[\p{L}\d\-]*\d[\p{L}\d\-]* | \b(?:\p{L}+[\-_]?\d|\d+[\-_]?\p{L})[\p{L}\d\-_]* )
  | (?<number>\d+(?:[.,:]\d+)*%? )
";

/// Words of numbers, in which amounts are written out too.
const NUMERALS: &str = r"(?:um|uma|dois|duas|tr[eê]s|quatro|cinco|seis|sete|oito|nove|dez|onze|doze|treze|catorze|quatorze|quinze|dezesseis|dezessete|dezoito|dezenove|vinte|trinta|quarenta|cinquenta|sessenta|setenta|oitenta|noventa|cem|cento|duzentos|trezentos|quatrocentos|quinhentos|seiscentos|setecentos|oitocentos|novecentos|mil|milh[aã]o|milh[oõ]es|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|uno|dos|cuatro|siete|ocho|nueve|diez|veinte|treinta|cuarenta|cincuenta|sesenta|ochenta|cien|ciento|doscientos|quinientos|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan|se(?:puluh|belas|ratus|ribu|juta)|puluh|belas|ratus|ribu|juta|setengah)";

const KINDS: [(&str, Kind); 9] = [
    ("mail", Kind::Mail),
    ("link", Kind::Link),
    ("address", Kind::Address),
    ("money", Kind::Money),
    ("date", Kind::Date),
    ("time", Kind::Time),
    ("phone", Kind::Phone),
    ("code", Kind::Code),
    ("number", Kind::Number),
];

#[expect(clippy::expect_used, reason = "a constant that the tests compile")]
static TYPED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&PATTERN.replace("NUMERAL", NUMERALS)).expect("the pattern is well formed"));

/// The typed stretches of `text`, in order, without overlap.
pub(crate) fn stretches(text: &str) -> Vec<(Range<usize>, Kind)> {
    TYPED
        .captures_iter(text)
        .filter_map(|found| {
            let (at, kind) = KINDS.iter().find_map(|(name, kind)| found.name(name).map(|at| (at, *kind)))?;
            Some((at.range(), kind))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(&str, Kind)> {
        stretches(text).into_iter().map(|(range, kind)| (&text[range], kind)).collect()
    }

    #[test]
    fn what_people_write_is_told_apart() {
        assert_eq!(kinds("mail to ana.b+x@loja.com.br now"), [("ana.b+x@loja.com.br", Kind::Mail)]);
        assert_eq!(kinds("see https://x.test/a?b=1 ok"), [("https://x.test/a?b=1", Kind::Link)]);
        assert_eq!(kinds("veja loja.com.br/troca"), [("loja.com.br/troca", Kind::Link)]);
        assert_eq!(kinds("custa R$ 1.250,00 hoje"), [("R$ 1.250,00", Kind::Money)]);
        assert_eq!(kinds("harganya 150 ribu"), [("150 ribu", Kind::Money)]);
        assert_eq!(kinds("Rp250.000"), [("Rp250.000", Kind::Money)]);
        assert_eq!(kinds("dia 12/05 e 2026-05-12"), [("12/05", Kind::Date), ("2026-05-12", Kind::Date)]);
        assert_eq!(kinds("das 9h às 18:30"), [("9h", Kind::Time), ("18:30", Kind::Time)]);
        assert_eq!(kinds("+62 813-9004-5512"), [("+62 813-9004-5512", Kind::Phone)]);
        assert_eq!(kinds("(11) 98765-4321"), [("(11) 98765-4321", Kind::Phone)]);
        assert_eq!(kinds("pedido BR-5521X e #9921"), [("BR-5521X", Kind::Code), ("#9921", Kind::Code)]);
        assert_eq!(kinds("Rua das Flores, 123 ok"), [("Rua das Flores, 123", Kind::Address)]);
        assert_eq!(kinds("ke jl. merdeka raya no. 17 ya"), [("jl. merdeka raya no. 17", Kind::Address)]);
        assert_eq!(kinds("to 42 Elm Street, please"), [("42 Elm Street,", Kind::Address)]);
        assert_eq!(kinds("quarto 302"), [("302", Kind::Number)]);
        assert_eq!(
            kinds("ana@intranet, ana(at)loja.com"),
            [("ana@intranet", Kind::Mail), ("ana(at)loja.com", Kind::Mail)]
        );
        assert_eq!(kinds("follow @ana_k on it"), [("@ana_k", Kind::Link)]);
        assert_eq!(kinds("mora na rua das acacias hoje"), [("rua das acacias", Kind::Address)]);
        assert_eq!(kinds("são mil e duzentos reais ao todo"), [("mil e duzentos reais", Kind::Money)]);
        assert_eq!(
            kinds("two hundred dollars, dua juta rupiah"),
            [("two hundred dollars", Kind::Money), ("dua juta rupiah", Kind::Money)]
        );
        assert_eq!(kinds("dois dias"), []);
        assert_eq!(kinds("nothing to see"), []);
    }
}
