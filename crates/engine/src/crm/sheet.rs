//! A spreadsheet as text: its columns and its lines, in whatever notation the program that wrote it has.

use std::collections::HashMap;

use super::CrmError;

/// How many lines one sheet may have.
pub(super) const MAX_LINES: usize = 50_000;
/// What a column of a field of one's own begins with.
pub(super) const CUSTOM: &str = "custom.";

/// A line and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number in the file; the head is line 1.
    pub number: u64,
    cells: HashMap<String, String>,
}

impl Line {
    /// A cell without white space around it; `None` when it is empty.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(|cell| unguarded(cell.trim())).filter(|cell| !cell.is_empty())
    }

    /// The fields of one's own: those that are not empty.
    pub fn custom(&self) -> impl Iterator<Item = (&str, &str)> {
        let columns = self.cells.keys().filter_map(|column| column.strip_prefix(CUSTOM));
        columns.filter_map(|name| Some((name, self.get(&format!("{CUSTOM}{name}"))?)))
    }
}

/// A cell that a spreadsheet would take for a formula is written with an apostrophe before it.
pub fn guarded(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

fn unguarded(cell: &str) -> &str {
    let rest = cell.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@']));
    rest.unwrap_or(cell)
}

/// Reads a sheet: UTF-8, a head, and commas or semicolons between the cells. Errors: 422 naming `file`.
pub(super) fn read(bytes: &[u8], required: &[&str], known: &[&str]) -> Result<Vec<Line>, CrmError> {
    let refuse = |sentence: String| CrmError::invalid("file", sentence);
    let text = std::str::from_utf8(bytes)
        .map_err(|_| refuse("The file must be UTF-8 text: save it as CSV UTF-8.".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head = text.lines().next().unwrap_or_default();
    let delimiter = if head.matches(';').count() > head.matches(',').count() { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let broken = |error: csv::Error| refuse(format!("The file is no CSV: {error}."));
    let columns: Vec<String> =
        reader.headers().map_err(broken)?.iter().map(|name| name.trim().to_lowercase()).collect();
    for name in required {
        if !columns.iter().any(|column| column == name) {
            return Err(refuse(format!("The file needs a column {name} in its first line.")));
        }
    }
    let is_known = |column: &String| known.contains(&column.as_str()) || column.starts_with(CUSTOM);
    if let Some(strange) = columns.iter().find(|column| !is_known(column)) {
        let known = known.join(", ");
        return Err(refuse(format!("There is no column {strange:?}; known are {known} and {CUSTOM}NAME.")));
    }
    let mut lines = Vec::new();
    let (mut counted, mut number) = (0, 1);
    for record in reader.records() {
        let record = record.map_err(broken)?;
        if lines.len() == MAX_LINES {
            return Err(refuse(format!("The file must not have more than {MAX_LINES} lines: divide it.")));
        }
        // The reader takes the end of a line for one character, so that of \r\n the \n is left for the next record.
        let from = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(counted);
        let start = text.len() - text[from..].trim_start_matches(['\r', '\n']).len();
        number += text[counted..start].matches('\n').count() as u64;
        counted = start;
        let cells = columns.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
        lines.push(Line { number, cells });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_contacts(text: &str) -> Result<Vec<Line>, CrmError> {
        read(text.as_bytes(), &["phone"], &["phone", "name"])
    }

    #[test]
    fn commas_semicolons_and_marks_of_spreadsheets_are_read() {
        for text in [
            "phone,name\n+62813,\"Siti, Ibu\"\n",
            "\u{feff}Phone;Name\r\n'+62813;Siti, Ibu\r\n",
            "name,phone,custom.city\n\"Siti, Ibu\",+62813\n",
        ] {
            let lines = read_contacts(text).unwrap();
            assert_eq!((lines[0].get("phone"), lines[0].get("name")), (Some("+62813"), Some("Siti, Ibu")));
            assert_eq!((lines.len(), lines[0].number), (1, 2), "{text}");
        }
        let lines = read_contacts("phone,name\r\n1,\"Two\r\nlines\"\r\n\r\n2,x\r\n3,y").unwrap();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 5, 6]);
        let lines = read_contacts("phone,custom.city\n1, Bandung \n2,\n").unwrap();
        assert_eq!(lines[0].custom().collect::<Vec<_>>(), [("city", "Bandung")]);
        assert_eq!(lines[1].custom().count(), 0);
    }

    #[test]
    fn what_is_no_sheet_of_ours_is_refused_before_anything_is_done() {
        for text in ["", "name\nSiti\n", "phone,shoe size\n1,42\n"] {
            assert!(read_contacts(text).is_err(), "{text}");
        }
        assert!(read(b"phone\n\xff\xfe", &["phone"], &["phone"]).is_err());
    }

    #[test]
    fn what_looks_like_a_formula_goes_out_guarded_and_comes_back_as_it_was() {
        for cell in ["=1+1", "+62813", "-5", "@x"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
            assert_eq!(unguarded(&guarded(cell)), cell);
        }
        assert_eq!((guarded("Siti").as_str(), unguarded("'t Hooft")), ("Siti", "'t Hooft"));
    }
}
