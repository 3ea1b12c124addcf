//! Chatwoot writes markdown. Networks write stars or nothing.

use frontdesk_channels::contract::Markup;

/// Stands for a star of the network while markdown's stars are looked for.
const BOLD: &str = "\u{e000}";

/// What was written in Chatwoot as the network writes it.
pub(super) fn to_network(markdown: &str, markup: Markup) -> String {
    map_text(markdown, |line| {
        let (line, is_heading) = without_heading(line);
        let line = line.trim_end_matches('\\');
        let line = links(line);
        let (bold, italic, strike) = match markup {
            Markup::Stars => (BOLD, "_", "~"),
            Markup::Plain => ("", "", ""),
        };
        let line = pairs(&line, "**", bold);
        let line = pairs(&line, "__", bold);
        let line = pairs(&line, "~~", strike);
        let line = pairs(&line, "*", italic);
        let line = if markup == Markup::Plain { pairs(&line, "_", "") } else { line };
        let line = without_escapes(&line).replace(BOLD, "*");
        if is_heading && markup == Markup::Stars && !line.is_empty() && !line.contains('*') {
            format!("*{line}*")
        } else {
            line
        }
    })
}

/// What came over the network as Chatwoot writes it.
pub(super) fn to_markdown(text: &str, markup: Markup) -> String {
    match markup {
        Markup::Plain => text.to_owned(),
        Markup::Stars => map_text(text, |line| pairs(&pairs(line, "*", "**"), "~", "~~")),
    }
}

/// A name in bold, as the network writes it.
pub(super) fn bold(name: &str, markup: Markup) -> String {
    match markup {
        Markup::Stars => format!("*{}*", name.replace('*', "")),
        Markup::Plain => name.to_owned(),
    }
}

/// Changes every line that is not code.
fn map_text(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut in_block = false;
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let fence = line.trim_start().starts_with("```");
        if fence || in_block {
            lines.push(line.to_owned());
        } else {
            lines.push(map_line(line, &change));
        }
        if fence && line.matches("```").count() % 2 == 1 {
            in_block = !in_block;
        }
    }
    lines.join("\n")
}

/// Changes what is not between backticks.
fn map_line(line: &str, change: &impl Fn(&str) -> String) -> String {
    if !line.contains('`') {
        return change(line);
    }
    let parts: Vec<&str> = line.split('`').collect();
    let last = parts.len() - 1;
    let changed = parts.iter().enumerate().map(|(index, part)| {
        // An odd number of backticks leaves the last one alone.
        let is_code = index % 2 == 1 && index < last;
        if is_code { (*part).to_owned() } else { change(part) }
    });
    changed.collect::<Vec<_>>().join("`")
}

/// Replaces pairs of a mark that stand around words.
fn pairs(line: &str, mark: &str, new: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = find_open(&out, rest, mark) {
        let inner = &rest[open + mark.len()..];
        let Some(close) = find_close(inner, mark) else { break };
        out.push_str(&rest[..open]);
        out.push_str(new);
        out.push_str(&inner[..close]);
        out.push_str(new);
        rest = &inner[close + mark.len()..];
    }
    out.push_str(rest);
    out
}

fn find_open(before: &str, text: &str, mark: &str) -> Option<usize> {
    let single = mark.chars().next()?;
    text.match_indices(mark).map(|(at, _)| at).find(|at| {
        let left =
            text[..*at].chars().next_back().or_else(|| before.chars().next_back().filter(|_| *at == 0));
        let right = text[at + mark.len()..].chars().next();
        left.is_none_or(|c| !c.is_alphanumeric() && c != '\\' && c != single)
            && right.is_some_and(|c| !c.is_whitespace() && c != single)
    })
}

fn find_close(text: &str, mark: &str) -> Option<usize> {
    let single = mark.chars().next()?;
    text.match_indices(mark).map(|(at, _)| at).find(|at| {
        let left = text[..*at].chars().next_back();
        let right = text[at + mark.len()..].chars().next();
        left.is_some_and(|c| !c.is_whitespace() && c != '\\' && c != single)
            && right.is_none_or(|c| !c.is_alphanumeric() && c != single)
    })
}

/// `## Title`
fn without_heading(line: &str) -> (&str, bool) {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    match title.strip_prefix(' ') {
        Some(title) if (1..=6).contains(&level) => (title.trim(), true),
        _ => (line, false),
    }
}

/// `[words](address)` as `words (address)`, or the address alone where the words say the same.
fn links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let found = rest[open..].find("](").map(|middle| open + middle).and_then(|middle| {
            let close = rest[middle..].find(')')? + middle;
            Some((&rest[open + 1..middle], &rest[middle + 2..close], close + 1))
        });
        let Some((words, address, end)) = found.filter(|(words, _, _)| !words.contains('[')) else {
            out.push_str(&rest[..=open]);
            rest = &rest[open + 1..];
            continue;
        };
        out.push_str(&rest[..open]);
        let same = words == address || address.strip_prefix("mailto:") == Some(words);
        out.push_str(&if same { words.to_owned() } else { format!("{words} ({address})") });
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// `\*` is a star.
fn without_escapes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\\' && characters.peek().is_some_and(char::is_ascii_punctuation) {
            continue;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_stars_and_stars_become_markdown() {
        let there = [
            ("**bold** and *soft* and ~~gone~~", "*bold* and _soft_ and ~gone~"),
            ("_soft_ __bold__", "_soft_ *bold*"),
            ("2 * 3 * 4, a_b_c, 5**2", "2 * 3 * 4, a_b_c, 5**2"),
            ("`**code**` **not**", "`**code**` *not*"),
            ("```\n**code**\n```\n**x**", "```\n**code**\n```\n*x*"),
            ("See [our page](https://a.test/x)", "See our page (https://a.test/x)"),
            ("[https://a.test](https://a.test)", "https://a.test"),
            ("# Title", "*Title*"),
            ("one\\\ntwo \\*star\\*", "one\ntwo *star*"),
            ("**a** **b**", "*a* *b*"),
            ("unclosed **x", "unclosed **x"),
        ];
        for (markdown, stars) in there {
            assert_eq!(to_network(markdown, Markup::Stars), stars, "{markdown}");
        }
        let back = [
            ("*bold* _soft_ ~gone~", "**bold** _soft_ ~~gone~~"),
            ("2*3*4", "2*3*4"),
            ("`*code*`", "`*code*`"),
            ("* a list", "* a list"),
        ];
        for (stars, markdown) in back {
            assert_eq!(to_markdown(stars, Markup::Stars), markdown, "{stars}");
        }
        assert_eq!(
            to_network("**bold** _soft_ [x](https://a.test)", Markup::Plain),
            "bold soft x (https://a.test)"
        );
        assert_eq!(to_markdown("*x*", Markup::Plain), "*x*");
        assert_eq!(bold("Rui*", Markup::Stars), "*Rui*");
    }
}
