//! Money: whole minor units of a currency. Nothing here is added across currencies.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A currency by its ISO 4217 letters: `IDR`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Currencies whose smallest amount is one of the unit itself.
///
/// ISO 4217 gives the rupiah two digits too, but sen went out of use decades ago: nobody there writes or books them.
const WITHOUT_DIGITS: [&[u8; 3]; 17] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"IDR", b"ISK", b"JPY", b"KMF", b"KRW", b"PYG", b"RWF", b"UGX", b"VND",
    b"VUV", b"XAF", b"XOF", b"XPF",
];
const WITH_THREE_DIGITS: [&[u8; 3]; 7] = [b"BHD", b"IQD", b"JOD", b"KWD", b"LYD", b"OMR", b"TND"];

impl Currency {
    /// The rupiah.
    pub const IDR: Self = Self(*b"IDR");

    /// Reads three letters, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: [u8; 3] = text.trim().to_ascii_uppercase().into_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default() // letters only: `parse` is the one way in
    }

    /// How many digits stand behind the point.
    pub fn digits(self) -> u32 {
        if WITHOUT_DIGITS.contains(&&self.0) {
            0
        } else if WITH_THREE_DIGITS.contains(&&self.0) {
            3
        } else {
            2
        }
    }

    /// Minor units in one unit.
    fn per_unit(self) -> i64 {
        10_i64.pow(self.digits())
    }

    /// An amount in units, for formulas.
    pub fn in_units(self, minor: i64) -> f64 {
        minor as f64 / self.per_unit() as f64
    }

    /// Reads an amount in units as people and spreadsheets write it with a point: `250000`, `12.50`, `-3`.
    ///
    /// `None` for anything else: more digits than the currency has, thousands separators, exponents.
    pub fn parse_amount(self, text: &str) -> Option<i64> {
        let text = text.trim();
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = self.digits() as usize;
        let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) || text.ends_with('.') {
            return None;
        }
        // `250000.00` rupiah is what a spreadsheet makes of 250000.
        let part =
            if part.len() > digits { part.strip_suffix(&"0".repeat(part.len() - digits))? } else { part };
        let whole = whole.parse::<i64>().ok()?.checked_mul(self.per_unit())?;
        let part = format!("{part:0<digits$}");
        let part = if part.is_empty() { 0 } else { part.parse::<i64>().ok()? };
        let minor = whole.checked_add(part)?;
        Some(if negative { -minor } else { minor })
    }

    /// Writes an amount as [`Currency::parse_amount`] reads it.
    pub fn format_amount(self, minor: i64) -> String {
        let (digits, per_unit) = (self.digits() as usize, self.per_unit().unsigned_abs());
        let (sign, all) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
        if digits == 0 {
            return format!("{sign}{all}");
        }
        format!("{sign}{}.{:0digits$}", all / per_unit, all % per_unit)
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected a currency like IDR"))
    }
}

/// A quotient rounded to the nearest whole; of two equally near ones the even. `None` when `count` is not positive.
pub fn divide_half_even(total: i64, count: i64) -> Option<i64> {
    if count <= 0 {
        return None;
    }
    let (total, count) = (i128::from(total), i128::from(count));
    let (quotient, rest) = (total.div_euclid(count), total.rem_euclid(count));
    let up = match (rest * 2).cmp(&count) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
    };
    i64::try_from(quotient + i128::from(up)).ok()
}

/// What one unit of other currencies is worth in the account's own: a table kept by hand.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rates(BTreeMap<Currency, f64>);

impl Rates {
    /// A table of these.
    pub fn new(rates: impl IntoIterator<Item = (Currency, f64)>) -> Self {
        Self(rates.into_iter().collect())
    }

    /// True when every rate can be worked with.
    pub fn is_usable(&self) -> bool {
        self.0.values().all(|rate| rate.is_finite() && *rate > 0.0)
    }

    /// An amount in minor units of `base`; `None` without a rate, or beyond all measure.
    pub fn convert(&self, minor: i64, from: Currency, base: Currency) -> Option<i64> {
        if from == base {
            return Some(minor);
        }
        let rate = self.0.get(&from).filter(|rate| rate.is_finite() && **rate > 0.0)?;
        let converted = (from.in_units(minor) * rate * base.per_unit() as f64).round_ties_even();
        // 2^53: beyond it neighbours can no longer be told apart.
        (converted.abs() < 9_007_199_254_740_992.0).then_some(converted as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(text: &str) -> Currency {
        Currency::parse(text).unwrap()
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!(currency(" idr "), Currency::IDR);
        for text in ["", "ID", "IDRR", "I1R", "€€€", "ÄBC"] {
            assert_eq!(Currency::parse(text), None, "{text}");
        }
        assert_eq!(["IDR", "BRL", "KWD"].map(|text| currency(text).digits()), [0, 2, 3]);
    }

    #[test]
    fn an_amount_is_read_as_it_is_written() {
        for (text, minor) in [("12.50", 1250), ("12.5", 1250), ("0.05", 5), ("-3", -300), ("7.000", 700)] {
            assert_eq!(currency("BRL").parse_amount(text), Some(minor), "{text}");
        }
        assert_eq!(Currency::IDR.parse_amount("250000.00"), Some(250_000));
        for text in
            ["", ".", "1.", ".5", "1,000", "1e3", "12.345", "0x1", "99999999999999999999", "--1", "+1"]
        {
            assert_eq!(currency("BRL").parse_amount(text), None, "{text}");
        }
        for (text, minor) in [("IDR", 250_000), ("BRL", -1_205), ("BRL", 7), ("KWD", 1_001)] {
            let money = currency(text);
            assert_eq!(money.parse_amount(&money.format_amount(minor)), Some(minor), "{text}");
        }
    }

    #[test]
    fn an_average_is_rounded_to_the_even_one() {
        for (total, count, average) in
            [(10, 4, 2), (14, 4, 4), (15, 4, 4), (-10, 4, -2), (0, 3, 0), (100, 3, 33)]
        {
            assert_eq!(divide_half_even(total, count), Some(average), "{total}/{count}");
        }
        assert_eq!(divide_half_even(5, 0), None);
        assert_eq!(divide_half_even(i64::MAX, 1), Some(i64::MAX));
    }

    #[test]
    fn another_currency_needs_a_rate() {
        let rates = Rates::new([(currency("USD"), 15_500.0)]);
        assert_eq!(rates.convert(1_050, currency("USD"), Currency::IDR), Some(162_750));
        assert_eq!(rates.convert(1_050, currency("EUR"), Currency::IDR), None);
        assert_eq!(rates.convert(7, Currency::IDR, Currency::IDR), Some(7));
        assert_eq!(Rates::new([(currency("USD"), -1.0)]).convert(1, currency("USD"), Currency::IDR), None);
        assert_eq!(rates.convert(i64::MAX, currency("USD"), Currency::IDR), None);
    }
}
