//! Contact cards as phones write them.

/// The values of one property of a vCard: `TEL;type=CELL:+62…`, `item1.TEL:…`.
pub fn values<'v>(vcard: &'v str, property: &'v str) -> impl Iterator<Item = String> + 'v {
    vcard.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        let name = name.split(';').next().unwrap_or(name);
        let name = name.rsplit('.').next().unwrap_or(name);
        (name.eq_ignore_ascii_case(property) && !value.trim().is_empty()).then(|| value.trim().to_owned())
    })
}
